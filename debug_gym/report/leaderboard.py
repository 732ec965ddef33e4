"""Who is best at what: one board for each benchmark, one row for each run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from debug_gym.report.load import Entry, StoredAttempt
from debug_gym.report.statistics import deviation, interval, mean, pass_at_k


@dataclass(frozen=True)
class Row:
    """How a run did. Attempts that ended in an infrastructure error count neither for nor against it."""

    run: str
    agent: str
    model: str
    label: str
    reference: str
    """Why it does not compete; empty if it does."""
    damage: str
    """Which line of its results cannot be read, and what to do; empty if all can be read."""
    rank: int | None
    """From 1, equal rates share one; None for references, damaged runs, those without a judged attempt, and
    those that have played fewer of the tasks than others."""
    partial: str
    """Which part of the board's tasks it has played, if it has no rank for that; empty otherwise."""
    tasks: int
    """Tasks with a judged attempt."""
    planned_tasks: int
    k: int
    """Attempts at each task."""
    attempts: int
    """Judged attempts."""
    resolved: int
    """Attempts that were resolved."""
    errors: int
    unfinished: int
    pass_1: float | None
    """Mean over the tasks of the share of their judged attempts that are resolved."""
    low: float | None
    """Of the 95% confidence interval of ``pass_1``."""
    high: float | None
    pass_k: float | None
    """Mean over the tasks with ``k`` judged attempts; None if there are none, or if k is 1."""
    seed_std: float | None
    """Standard deviation over the seeds of the share that is resolved; None with one attempt at a task."""
    steps: float | None
    """This and the following are means over the judged attempts; None where they are not known."""
    seconds: float | None
    input_tokens: float | None
    output_tokens: float | None
    dollars: float | None
    total_dollars: float | None
    """Sum over all attempts, errors included: it was spent."""
    cheating: int
    """Attempts with findings of cheating."""
    unguarded: int
    """Resolved attempts at tasks whose tests cannot bound the odds of forging."""
    disputed: int
    """Attempts of which the benchmark's own harness says otherwise."""
    excluded: int
    """Tasks of which unstable tests did not count."""


@dataclass(frozen=True)
class Board:
    """The runs on one state of a benchmark, best first, references last."""

    benchmark: str
    version: str
    tasks: tuple[str, ...]
    """All tasks that any of the runs plays."""
    rows: tuple[Row, ...]
    entries: tuple[Entry, ...]
    """In the order of the rows."""

    @property
    def comparable(self) -> bool:
        """Whether all runs were asked to play the same tasks."""
        return all(row.planned_tasks == len(self.tasks) for row in self.rows)


def boards(entries: Sequence[Entry]) -> list[Board]:
    """A board for each benchmark and version; a run that has not begun counts as well."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.benchmark, entry.run.manifest.benchmark_version), []).append(entry)
    return [_board(*key, group) for key, group in sorted(groups.items())]


def _board(benchmark: str, version: str, entries: list[Entry]) -> Board:
    longest = sorted((entry.run.manifest.tasks for entry in entries), key=len, reverse=True)
    tasks = dict.fromkeys(task for known in longest for task in known)
    most = max((_played(entry) for entry in entries if _competes(entry)), default=0)
    rated = [(_rate(entry.attempts), _played(entry) < most, entry) for entry in entries]
    rated.sort(key=lambda item: (not _competes(item[2]), item[1], -_order(item[0]), item[2].name))
    contest = [rate for rate, part, entry in rated if _competes(entry) and not part and rate is not None]
    rows = []
    for rate, part, entry in rated:
        ranked = _competes(entry) and not part
        partial = f"{_played(entry)} of {len(tasks)} tasks played" if part and _competes(entry) else ""
        rank = 1 + sum(other > rate for other in contest) if ranked and rate is not None else None
        rows.append(row(entry, rank, partial))
    return Board(benchmark, version, tuple(tasks), tuple(rows), tuple(entry for _, _, entry in rated))


def _played(entry: Entry) -> int:
    """Tasks with an attempt that is over."""
    return len({attempt.task for attempt in entry.attempts if attempt.state != "unfinished"})


def _competes(entry: Entry) -> bool:
    return not entry.reference and not entry.damage


def _order(rate: float | None) -> float:
    return -1.0 if rate is None else rate


def _by_task(attempts: Sequence[StoredAttempt]) -> dict[str, list[bool]]:
    """For each task with judged attempts, whether each is resolved."""
    tasks: dict[str, list[bool]] = {}
    for attempt in attempts:
        if attempt.state in ("resolved", "unresolved") and not attempt.open_ended:
            tasks.setdefault(attempt.task, []).append(attempt.state == "resolved")
    return tasks


def task_rates(attempts: Sequence[StoredAttempt]) -> dict[str, float]:
    """For each task with judged attempts, the share of them that is resolved."""
    return {task: pass_at_k(len(won), sum(won), 1) for task, won in _by_task(attempts).items()}


def _rate(attempts: Sequence[StoredAttempt]) -> float | None:
    return mean(list(task_rates(attempts).values()))


def row(entry: Entry, rank: int | None, partial: str = "") -> Row:
    """All figures of one run."""
    tasks = _by_task(entry.attempts)
    rates = list(task_rates(entry.attempts).values())
    low, high = interval(rates) or (None, None)
    k = max((attempt.number + 1 for attempt in entry.attempts), default=1)
    complete = [won for won in tasks.values() if len(won) >= k]
    excluded = {attempt.task for attempt in entry.attempts if attempt.result and attempt.result.excluded}
    return Row(
        run=entry.name,
        agent=entry.agent,
        model=entry.model,
        label=entry.label,
        reference=entry.reference,
        damage=_damage(entry.damage),
        rank=rank,
        partial=partial,
        tasks=len(tasks),
        planned_tasks=len(entry.run.manifest.tasks),
        k=k,
        attempts=sum(map(len, tasks.values())),
        resolved=sum(map(sum, tasks.values())),
        errors=sum(attempt.state == "error" for attempt in entry.attempts),
        unfinished=sum(attempt.state == "unfinished" for attempt in entry.attempts),
        pass_1=mean(rates),
        low=low,
        high=high,
        pass_k=mean([pass_at_k(len(won), sum(won), k) for won in complete]) if k > 1 else None,
        seed_std=deviation(_seeds(entry.attempts)),
        cheating=sum(attempt.cheating for attempt in entry.attempts),
        unguarded=sum(attempt.unguarded for attempt in entry.attempts),
        disputed=sum(attempt.disputed for attempt in entry.attempts),
        excluded=len(excluded),
        **_costs(entry.attempts),
    )


def _damage(damage: Sequence[str]) -> str:
    if not damage:
        return ""
    more = f", and {len(damage) - 1} more" if len(damage) > 1 else ""
    return f"does not compete: {damage[0]}{more}: remove it, and the run's command plays its attempt anew"


def _seeds(attempts: Sequence[StoredAttempt]) -> list[float]:
    """The share that is resolved, for each number of attempt: each has its own seed."""
    seeds: dict[int, list[bool]] = {}
    for attempt in attempts:
        if attempt.state in ("resolved", "unresolved"):
            seeds.setdefault(attempt.number, []).append(attempt.state == "resolved")
    return [sum(won) / len(won) for won in seeds.values()]


def _costs(attempts: Sequence[StoredAttempt]) -> dict[str, Any]:
    results = [attempt.result for attempt in attempts if attempt.result is not None]
    judged = [result for result in results if result.status != "error"]

    def used(key: str) -> float | None:
        return mean([result.usage[key] for result in judged if key in result.usage])

    spent = [result.usage["dollars"] for result in results if "dollars" in result.usage]
    return {
        "steps": mean([result.steps for result in judged]),
        "seconds": mean([result.seconds for result in judged]),
        "input_tokens": used("input_tokens"),
        "output_tokens": used("output_tokens"),
        "dollars": used("dollars"),
        "total_dollars": sum(spent) if spent else None,
    }
