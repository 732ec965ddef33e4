"""A run on disk: its records, and how to read them. ``docs/runs.md`` describes the format.

Reading needs nothing but this module and ``debug_gym.episode``; ``debug_gym.runs.writer`` writes.
"""

import json
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError

from debug_gym.episode import SCHEMA_VERSION, Step, Trajectory, Verdict
from debug_gym.errors import ConfigError, DebugGymError, UnknownNameError
from debug_gym.task import Frozen

Status = Literal["resolved", "unresolved", "error"]
"""``error``: the infrastructure failed; it says nothing about the agent and is tried anew on resume."""

Ending = Literal["terminated", "step limit", "time limit", "gave up", "error"]
"""``terminated``: submitted or solved. ``gave up``: the agent had no next call."""


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """What this run's results may depend on beside its configuration."""
    return {
        "debug_gym": version("debug-gym"),
        "python": platform.python_version(),
        "platform": platform.platform(),
    }


class Manifest(Frozen):
    """``config.json``: what was asked for."""

    schema_version: int = SCHEMA_VERSION
    config: dict[str, Any]
    """The resolved configuration, as JSON."""
    benchmark_version: str
    tasks: tuple[str, ...]
    """Ids of the selected tasks, in order."""
    versions: dict[str, str] = Field(default_factory=versions)
    created: str = Field(default_factory=now)

    @property
    def total(self) -> int:
        """How many attempts the run consists of."""
        return len(self.tasks) * int(self.config.get("attempts", 1))


class Start(Frozen):
    """The first line of a trajectory file."""

    kind: Literal["start"] = "start"
    schema_version: int = SCHEMA_VERSION
    task: str
    benchmark: str
    agent: str
    model: str | None = None
    attempt: int
    seed: int
    first_observation: str = ""
    started: str = Field(default_factory=now)


class End(Frozen):
    """The last line of a trajectory file. A file without one belongs to an attempt that did not finish."""

    kind: Literal["end"] = "end"
    status: Status
    ending: Ending
    verdict: Verdict | None = None
    """None only where the infrastructure failed."""
    patch: str = ""
    """Unified diff of the changes that counted."""
    omitted: tuple[str, ...] = ()
    """Changes that counted but that a text diff cannot show, each with the reason: ``path: reason``."""
    error: str = ""
    """What failed, with the traceback where it is not one of debug-gym's own errors."""
    seconds: float
    finished: str = Field(default_factory=now)


class Result(Frozen):
    """One line of ``results.jsonl``: how one attempt at a task went."""

    task: str
    attempt: int
    seed: int
    status: Status
    ending: Ending
    steps: int
    seconds: float
    """Wall-clock time of the whole episode: sandbox, agent, tools and judge."""
    fail_to_pass: float = 0.0
    """Share of the fail-to-pass tests that pass, 0 to 1."""
    pass_to_pass: float = 0.0
    """Share of the pass-to-pass tests that pass, 0 to 1."""
    reason: str = ""
    """One sentence: why it is not resolved, or what failed."""
    usage: dict[str, float] = Field(default_factory=dict)
    """Sums over the steps: ``input_tokens``, ``output_tokens``, ``dollars``, ``seconds``."""
    finished: str = Field(default_factory=now)

    @property
    def key(self) -> tuple[str, int]:
        """Task id and attempt."""
        return self.task, self.attempt


class Run:
    """A stored run, to read: ``Run.open("runs/nightmares-repair").results()``."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path, self.manifest = path, manifest

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open a run's folder for reading.

        Raises:
            ConfigError: there is no run in this folder, or it was stored by a newer debug-gym.
        """
        path = Path(path)
        return cls(path, read_manifest(path))

    def results(self) -> list[Result]:
        """One result per finished attempt, ordered by task and attempt."""
        found = {result.key: result for result in self._lines()}  # the last line about an attempt counts
        order = {task: index for index, task in enumerate(self.manifest.tasks)}
        return sorted(found.values(), key=lambda result: (order.get(result.task, len(order)), result.key))

    def trajectory(self, task: str, attempt: int = 0) -> Trajectory:
        """What happened in one attempt, also in one that has not finished (its ``verdict`` is None).

        Raises:
            UnknownNameError: the attempt was not begun.
            DebugGymError: the file is damaged elsewhere than in its last line.
        """
        start, steps, end = self._episode(task, attempt)
        return Trajectory(
            task=start.task,
            benchmark=start.benchmark,
            agent=start.agent,
            attempt=start.attempt,
            seed=start.seed,
            first_observation=start.first_observation,
            steps=tuple(steps),
            verdict=end.verdict if end else None,
        )

    def end(self, task: str, attempt: int = 0) -> End | None:
        """How an attempt ended: verdict, patch, error; None if it has not. Raises as ``trajectory`` does."""
        return self._episode(task, attempt)[2]

    @property
    def results_file(self) -> Path:
        """One line for each finished attempt."""
        return self.path / "results.jsonl"

    def trajectory_file(self, task: str, attempt: int) -> Path:
        """The file of one attempt."""
        return self.path / "trajectories" / f"{task}.{attempt}.jsonl"

    def _lines(self) -> Iterator[Result]:
        if self.results_file.exists():
            for line in _complete_lines(self.results_file):
                yield Result.model_validate(line)

    def _episode(self, task: str, attempt: int) -> tuple[Start, list[Step], End | None]:
        file = self.trajectory_file(task, attempt)
        if not file.exists():
            known = (path.name.removesuffix(".jsonl") for path in file.parent.glob("*.jsonl"))
            raise UnknownNameError("trajectory", f"{task}.{attempt}", known)
        lines = _complete_lines(file)
        if not lines:
            raise UnknownNameError("trajectory", f"{task}.{attempt}", ())
        try:
            start = Start.model_validate(lines[0])
            end = End.model_validate(lines[-1]) if lines[-1].get("kind") == "end" else None
            steps = [Step.model_validate(line) for line in lines[1 : -1 if end else None]]
        except ValidationError as error:
            raise DebugGymError(f"{file} is not a trajectory: {error.errors()[0]['msg']}") from None
        return start, steps, end


def read_manifest(path: Path) -> Manifest:
    """What the run in a folder was asked for. Raises as ``Run.open`` does."""
    file = path / "config.json"
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        stored = content.get("schema_version", 0)
        if stored > SCHEMA_VERSION:
            raise ConfigError(f"{path} was stored by a newer debug-gym (format {stored}): update debug-gym")
        return Manifest.model_validate(content)
    except OSError as error:
        raise ConfigError(f"there is no run in {path}: {file.name}: {error.strerror}") from None
    except (ValidationError, AttributeError, TypeError, json.JSONDecodeError) as error:
        raise ConfigError(f"{file} is not the config.json of a run: {str(error).splitlines()[0]}") from None


def _complete_lines(path: Path) -> list[dict[str, Any]]:
    """All JSON lines of a file but a torn last one, which a crash may have left."""
    lines = path.read_bytes().split(b"\n")[:-1]
    try:
        return [json.loads(line) for line in lines]
    except ValueError as error:
        raise DebugGymError(f"{path} is damaged: {error}") from None
