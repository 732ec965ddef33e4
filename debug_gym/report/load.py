"""Stored runs as reports see them: found on disk, named, and with a state for every planned attempt."""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from debug_gym.errors import ConfigError
from debug_gym.store.records import Result, Run

State = Literal["resolved", "unresolved", "error", "unfinished"]
"""``unfinished``: planned, and not over when the run was read."""

REFERENCES = {
    "oracle": "a reference: it is given the solution",
    "random": "a reference: its calls are drawn at random",
}
"""Agents that show what the gym does, and do not compete."""
OPEN_ENDED = "open-ended: a model or a person grades it (debug-gym grade)"
REPLAYED = "a reference: it replays a recording"


@dataclass(frozen=True)
class StoredAttempt:
    """One planned attempt at a task."""

    task: str
    number: int
    result: Result | None = None
    """None while it is not over."""

    @property
    def state(self) -> State:
        """How it stands."""
        return self.result.status if self.result is not None else "unfinished"

    @property
    def open_ended(self) -> bool:
        """It is over, and no test can score it."""
        return self.result is not None and self.result.open_ended

    @property
    def cheating(self) -> bool:
        """Whether the judge found cheating."""
        return self.result is not None and self.result.cheating > 0

    @property
    def unguarded(self) -> bool:
        """Resolved, but nothing bounds the odds that forged results would have been: no sharp control ran."""
        return self.result is not None and self.state == "resolved" and self.result.odds >= 1

    @property
    def disputed(self) -> bool:
        """Whether the benchmark's own harness was asked and says otherwise."""
        theirs = self.result.harness if self.result is not None else None
        return theirs is not None and theirs != (self.state == "resolved")


@dataclass(frozen=True)
class Entry:
    """A run in a report."""

    run: Run
    name: str
    """Short and unique among the runs of a report: the end of its folder's path."""
    attempts: tuple[StoredAttempt, ...] = field(repr=False)
    damage: tuple[str, ...] = ()
    """A sentence for each line of its results that cannot be read: such a run does not compete."""

    @property
    def benchmark(self) -> str:
        """The name of what was played."""
        return str(self.run.manifest.config.get("benchmark", ""))

    @property
    def agent(self) -> str:
        """Who played."""
        return str(self.run.manifest.config.get("agent", ""))

    @property
    def model(self) -> str:
        """The agent's model; empty if it has none."""
        return str(self.run.manifest.config.get("model") or "")

    @property
    def reference(self) -> str:
        """Why it does not compete; empty if it does."""
        if any(attempt.open_ended for attempt in self.attempts):
            return OPEN_ENDED
        options = self.run.manifest.config.get("agent_options") or {}
        return REPLAYED if options.get("provider") == "replay" else REFERENCES.get(self.agent, "")

    @cached_property
    def label(self) -> str:
        """Agent, options and model, for people."""
        options = self.run.manifest.config.get("agent_options") or {}
        shown = ", ".join(f"{key}={value}" for key, value in options.items() if len(str(value)) <= 40)
        return " · ".join(filter(None, [f"{self.agent} ({shown})" if shown else self.agent, self.model]))


def load(paths: Iterable[str | Path], *, demand: bool = True) -> list[Entry]:
    """Read the runs in folders, and in the folders below those that are no runs themselves.

    Args:
        paths: the folders.
        demand: False lets a folder hold none.

    Raises:
        ConfigError: a path holds no run, or one that was stored by a newer debug-gym.
    """
    folders = list(dict.fromkeys(folder for path in paths for folder in _folders(Path(path), demand)))
    return [_entry(Run.open(folder), name) for folder, name in zip(folders, _names(folders), strict=True)]


def _entry(run: Run, name: str) -> Entry:
    results, damage = run.read_results()
    by_key = {result.key: result for result in results}
    attempts = [
        StoredAttempt(task, number, by_key.get((task, number)))
        for task in run.manifest.tasks
        for number in range(int(run.manifest.config.get("attempts", 1)))
    ]
    return Entry(run, name, tuple(attempts), tuple(damage))


def _folders(path: Path, demand: bool) -> list[Path]:
    """The folders of the runs in or below a path, in order."""
    if not path.is_dir():
        raise ConfigError(f"{path} is not a folder: name the folder of a run, or one that holds runs")
    found = []
    for folder, below, files in os.walk(path):
        below.sort()
        if "config.json" in files and _is_run(Path(folder), strict=Path(folder) == path):
            found.append(Path(folder).resolve())
            below.clear()  # a run holds no runs
    if not found and demand:
        raise ConfigError(f"there is no run in or below {path}: debug-gym run makes one")
    return found


def _is_run(folder: Path, *, strict: bool) -> bool:
    """Whether it is one; other programs have a config.json as well, which matters only if named."""
    try:
        Run.open(folder)
    except ConfigError:
        if strict:
            raise
        return False
    return True


def _names(folders: list[Path]) -> list[str]:
    """The shortest ends of the paths that tell them apart."""
    for length in range(1, max((len(folder.parts) for folder in folders), default=1) + 1):
        names = ["/".join(folder.parts[-length:]) for folder in folders]
        if max(Counter(names).values(), default=1) == 1:
            return names
    return [str(folder) for folder in folders]
