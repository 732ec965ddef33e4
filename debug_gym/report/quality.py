"""The quality of a benchmark: what its validation found, and how far those that need no model get in it."""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from debug_gym.agents.repair.search import NOTHING_FAILS
from debug_gym.errors import ConfigError
from debug_gym.report.load import Entry
from debug_gym.store.validations import FILE, ValidatedTask, Validations, read_validations

BOUND = 1e-2
"""Odds of forging that are worth something."""
EASY = {
    "random": "trivial (random calls solve it)",
    "repair": "easy (repair solves it)",
}
"""Agent that needs no model to what its success says of a task, the most telling first."""
PARTLY = "medium (repair makes some of its tests pass)"
HARD = "hard (repair gets nowhere)"
BLIND = "blind (repair sees no failing test)"
UNKNOWN = "not played by repair"
MOST = 12
"""Rows of a spread that are shown; the rest is summed up."""


@dataclass(frozen=True)
class Quality:
    """A validation beside the runs of the same state of its benchmark."""

    record: Validations
    difficulty: Mapping[str, str] = field(default_factory=dict)
    """Task to one of the sentences above."""
    solved: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Agent that needs no model to the tasks that it solves, of how many with a verdict."""

    @property
    def tasks(self) -> Sequence[ValidatedTask]:
        """What was validated."""
        return self.record.tasks

    @property
    def sound(self) -> int:
        """Tasks that passed every check."""
        return sum(not item.problems for item in self.tasks)

    @property
    def spreads(self) -> dict[str, list[tuple[str, int]]]:
        """What is known of the tasks (packages, years, kinds of bug) to how many have it."""
        return {
            title: found
            for title, name in (("packages", "package"), ("years", "year"), ("kinds of bug", "kind"))
            if (found := _spread([getattr(item, name) for item in self.tasks], by_name=name == "year"))
        }

    @property
    def spreads_shown(self) -> list[tuple[str, list[tuple[str, int]]]]:
        """Difficulty first, then ``spreads``."""
        difficulty = [("difficulty", self.levels)] if self.levels else []
        return [*difficulty, *self.spreads.items()]

    @property
    def levels(self) -> list[tuple[str, int]]:
        """How many tasks are how hard, the easiest first; empty where no baseline played."""
        counts = Counter(self.difficulty.get(item.task, UNKNOWN) for item in self.tasks)
        found = [
            (level, counts[level])
            for level in (*EASY.values(), PARTLY, HARD, BLIND, UNKNOWN)
            if counts[level]
        ]
        return found if self.solved else []

    def lines(self) -> Iterator[tuple[str, str]]:
        """What one wants to know of the whole, each with its title."""
        tasks, count = self.tasks, len(self.tasks)
        if not tasks:
            return
        tested = [item for item in tasks if not item.open_ended]
        bound = sum(item.odds <= BOUND for item in tested)
        yield "sound", f"{self.sound} of {count} tasks"
        if tested:
            none = sum(not item.controls for item in tested)
            without = f"; none possible in {none}" if none else ""
            yield (
                "controls",
                f"{_middle([item.controls for item in tested])} a task{without}; {bound} of {len(tested)} "
                f"tasks bound the odds of forging to 1 in {1 / BOUND:.0f}",
            )
        yield "unstable tests", _named([(item.task, len({*item.unstable, *item.excluded})) for item in tasks])
        all_searched = all(item.searched for item in tasks)
        where = "in all that an agent can read" if all_searched else "in the sandbox's own files"
        yield "leaks", f"{_named([(item.task, len(item.leaks)) for item in tasks])}, searched {where}"
        if tested:
            yield (
                "tests",
                f"fail to pass {_middle([item.failing for item in tested])}, "
                f"pass to pass {_middle([item.passing for item in tested])}",
            )
        if sizes := [item.lines for item in tasks if item.lines]:
            yield "lines of the fix", _middle(sizes)
        slowest = max(tasks, key=lambda item: item.seconds)
        yield (
            "seconds",
            f"{_middle([round(item.seconds) for item in tasks])} a task, the longest {slowest.task}",
        )
        for agent, (won, judged) in self.solved.items():
            yield f"{agent} solves", f"{won} of {judged} tasks ({won / judged:.0%})"


def _middle(values: Sequence[int]) -> str:
    """The median, with the range where there is one."""
    low, high = min(values), max(values)
    return f"{median(values):g}" if low == high else f"{median(values):g} ({low} to {high})"


def _named(counts: Sequence[tuple[str, int]]) -> str:
    """How many, and in which tasks."""
    some = [task for task, number in counts if number]
    total = sum(number for _, number in counts)
    more = f" and {len(some) - 3} more" if len(some) > 3 else ""
    return f"{total} in {', '.join(some[:3])}{more}" if total else "none"


def _spread(values: Sequence[str], *, by_name: bool) -> list[tuple[str, int]]:
    """Each value with its number, the most frequent first; nothing where nothing is known."""
    counts = Counter(value or "not known" for value in values)
    if set(counts) <= {"not known"}:
        return []
    ordered = sorted(counts.items(), key=lambda item: (0 if by_name else -item[1], item[0]))
    if by_name or len(ordered) <= MOST:
        return ordered
    rest = ordered[MOST - 1 :]
    return [*ordered[: MOST - 1], (f"{len(rest)} others", sum(number for _, number in rest))]


def qualities(records: Iterable[Validations], entries: Sequence[Entry]) -> list[Quality]:
    """Join validations with the runs that say how hard their tasks are."""
    return [_joined(record, entries) for record in records]


def _joined(record: Validations, entries: Sequence[Entry]) -> Quality:
    mine = [entry for entry in entries if entry.benchmark == record.benchmark]
    known = {item.task for item in record.tasks if not item.open_ended}
    reached = _reached(mine, record.benchmark_version, known)
    blind = {
        attempt.task
        for entry in mine
        for attempt in entry.attempts
        if entry.agent == "repair" and attempt.result and attempt.result.stop_reason == NOTHING_FAILS
    }
    difficulty = {
        task: _level({agent: best[task] for agent, best in reached.items() if task in best}, task in blind)
        for task in known
    }
    return Quality(record, difficulty, _solved(reached))


def solved(entries: Sequence[Entry], version: str) -> dict[str, tuple[int, int]]:
    """Agent that needs no model to the tasks that it solves in runs of this state of a benchmark, of how many
    with a verdict."""
    return _solved(_reached(entries, version))


def _reached(
    entries: Sequence[Entry], version: str, known: Collection[str] | None = None
) -> dict[str, dict[str, float]]:
    """Agent that needs no model to task to the share of its failing tests that then pass; 1: it is solved."""
    found: dict[str, dict[str, float]] = {}
    wanted = [entry for entry in entries if entry.run.manifest.benchmark_version == version]
    for entry in (entry for agent in EASY for entry in wanted if entry.agent == agent):
        for attempt in entry.attempts:
            judged = attempt.result is not None and attempt.state in ("resolved", "unresolved")
            if attempt.result is not None and judged and (known is None or attempt.task in known):
                share = 1.0 if attempt.state == "resolved" else min(attempt.result.fail_to_pass, 0.99)
                best = found.setdefault(entry.agent, {})
                best[attempt.task] = max(best.get(attempt.task, 0.0), share)
    return found


def _solved(reached: Mapping[str, Mapping[str, float]]) -> dict[str, tuple[int, int]]:
    return {agent: (sum(map(_won, best.values())), len(best)) for agent, best in reached.items()}


def _won(share: float) -> bool:
    return share == 1.0


def _level(shares: Mapping[str, float], blind: bool) -> str:
    """How hard a task is, by the share of its failing tests that each agent makes pass."""
    for agent, level in EASY.items():
        if _won(shares.get(agent, 0.0)):
            return level
    if "repair" not in shares:  # that random fails says nothing
        return UNKNOWN
    if shares["repair"] > 0:
        return PARTLY
    return BLIND if blind else HARD


def find_validations(paths: Iterable[str | Path]) -> list[Validations]:
    """The validations in folders and below them, in order.

    Raises:
        ConfigError: that of a folder that was named is damaged.
    """
    found: dict[Path, Validations] = {}
    for path in paths:
        for folder, below, files in os.walk(path):
            below.sort()
            if FILE in files:
                try:
                    record = read_validations(Path(folder))
                except ConfigError:
                    if Path(folder) == Path(path):
                        raise
                    continue  # another program's
                if record is not None:
                    found[Path(folder).resolve()] = record
    return list(found.values())
