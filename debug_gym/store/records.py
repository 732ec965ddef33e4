"""A run on disk: its records, and how to read them. ``docs/runs.md`` describes the format.

Reading needs nothing but this module and ``debug_gym.episode``; ``debug_gym.store.writer`` writes.
"""

import json
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, field_validator

from debug_gym.episode import SCHEMA_VERSION, ModelReply, Step, Trajectory, Verdict, unicode
from debug_gym.errors import ConfigError, DebugGymError, UnknownNameError
from debug_gym.task import Frozen, file_name, from_file_name
from debug_gym.version import VERSION

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
        "debug_gym": VERSION,
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
    files: dict[str, str] = Field(default_factory=dict)
    """A digest of each file of a repository of one's own: its version in detail."""
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
    """The changes that counted, for ``git apply``: a unified diff, binary hunks for what is no UTF-8."""
    omitted: tuple[str, ...] = ()
    """Changes that counted but that the patch cannot show, each with the reason: ``path: reason``."""
    stop_reason: str = ""
    """Why the agent gave up; empty where it did not."""
    usage: dict[str, float] = Field(default_factory=dict)
    """What the models of the episode cost: see ``Result.usage``."""
    replies: tuple[ModelReply, ...] = ()
    """What the agent's model said after the last step: nothing of it could be played."""
    error: str = ""
    """What failed, with the traceback where it is not one of debug-gym's own errors."""
    seconds: float
    finished: str = Field(default_factory=now)

    _unicode = field_validator("omitted", "stop_reason", "error", mode="before")(unicode)


class Result(Frozen):
    """One line of ``results.jsonl``: how one attempt at a task went."""

    task: str
    attempt: int
    """Counts from 0."""
    seed: int
    model: str | None = None
    """The model that the agent asked."""
    status: Status
    ending: Ending
    stop_reason: str = ""
    """Why the agent gave up; empty where it did not."""
    steps: int
    seconds: float
    """Wall-clock time of the whole episode: sandbox, agent, tools and judge."""
    fail_to_pass: float = 0.0
    """Share of the fail-to-pass tests that pass, 0 to 1."""
    pass_to_pass: float = 0.0
    """Share of the pass-to-pass tests that pass, 0 to 1."""
    reason: str = ""
    """One sentence: why it is not resolved, or what failed."""
    open_ended: bool = False
    """It is neither resolved nor not: what was handed in is graded by a model or a person."""
    cheating: int = 0
    """Findings of the judge that something cheats; the trajectory's verdict says which."""
    harness: bool | None = None
    """What the benchmark's own harness says (see ``Verdict.harness``); None where there is none."""
    controls: int = 0
    """Negative controls that the judge drew (see ``Verdict.controls``)."""
    odds: float = 1.0
    """Upper bound of the chance that forged results get past them (see ``Verdict.odds``)."""
    excluded: int = 0
    """Tests that did not count because they are unstable."""
    omitted: int = 0
    """Changes that counted but that the patch cannot show: it does not reproduce the verdict then."""
    unplayed: int = 0
    """Replies of the agent's model that held no call that could be played; the trajectory has them."""
    usage: dict[str, float] = Field(default_factory=dict)
    """What the whole episode cost: ``input_tokens``, ``output_tokens``, ``dollars``, ``seconds`` of waiting
    for the model. Empty where no model was asked."""
    finished: str = Field(default_factory=now)

    _unicode = field_validator("stop_reason", "reason", mode="before")(unicode)

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
        """One result per finished attempt, ordered by task and attempt.

        Raises:
            DebugGymError: the file is damaged elsewhere than in its last line.
        """
        found, damage = self.read_results()
        if damage:
            raise DebugGymError(f"{damage[0]}: remove it, and the run's command plays its attempt anew")
        return found

    def read_results(self) -> tuple[list[Result], list[str]]:
        """The same, where some lines may be damaged: what can be read, and a sentence for each other line."""
        latest: dict[tuple[str, int], Result] = {}
        damage = []
        for number, line in enumerate(_complete_lines(self.results_file), 1):
            try:
                result = Result.model_validate_json(line)
            except ValidationError as error:
                damage.append(_damaged(self.results_file, number, error))
            else:
                latest[result.key] = result  # the last line about an attempt counts
        order = {task: index for index, task in enumerate(self.manifest.tasks)}
        found = sorted(latest.values(), key=lambda result: (order.get(result.task, len(order)), result.key))
        return found, damage

    def trajectory(self, task: str, attempt: int = 0) -> Trajectory:
        """What happened in one attempt, also in one that has not finished (its ``verdict`` is None).

        Raises:
            UnknownNameError: the attempt was not begun.
            DebugGymError: the file is damaged elsewhere than in its last line.
        """
        file, lines = self._episode(task, attempt)
        start, *rest = (_parse(file, number, line) for number, line in enumerate(lines, 1))
        if not isinstance(start, Start):
            raise DebugGymError(f"{file} is damaged: its first line is not of the kind start")
        end = rest[-1] if rest and isinstance(rest[-1], End) else None
        return Trajectory(
            task=start.task,
            benchmark=start.benchmark,
            agent=start.agent,
            attempt=start.attempt,
            seed=start.seed,
            first_observation=start.first_observation,
            steps=tuple(step for step in rest if isinstance(step, Step)),
            stop_reason=end.stop_reason if end else "",
            usage=end.usage if end else {},
            replies=end.replies if end else (),
            verdict=end.verdict if end else None,
        )

    def end(self, task: str, attempt: int = 0) -> End | None:
        """How an attempt ended: verdict, patch, error; None if it has not. Raises as ``trajectory`` does."""
        file, lines = self._episode(task, attempt)
        last = _parse(file, len(lines), lines[-1])
        return last if isinstance(last, End) else None

    @property
    def results_file(self) -> Path:
        """One line for each finished attempt."""
        return self.path / "results.jsonl"

    def trajectory_file(self, task: str, attempt: int) -> Path:
        """The file of one attempt."""
        return self.path / "trajectories" / f"{file_name(task)}.{attempt}.jsonl"

    def _episode(self, task: str, attempt: int) -> tuple[Path, list[bytes]]:
        file = self.trajectory_file(task, attempt)
        lines = _complete_lines(file)
        if not lines:
            known = (from_file_name(path.name.removesuffix(".jsonl")) for path in file.parent.glob("*.jsonl"))
            raise UnknownNameError("trajectory", f"{task}.{attempt}", known)
        return file, lines


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


def _complete_lines(path: Path) -> list[bytes]:
    """All lines of a file but a torn last one, which a crash may have left; none if there is no file."""
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


_LINE: TypeAdapter[Start | Step | End] = TypeAdapter(
    Annotated[Start | Step | End, Field(discriminator="kind")]
)


def _parse(path: Path, number: int, line: bytes) -> Start | Step | End:
    try:
        return _LINE.validate_json(line)
    except ValidationError as error:
        raise DebugGymError(_damaged(path, number, error)) from None


def _damaged(path: Path, line: int, error: ValidationError) -> str:
    return f"{path} is damaged in line {line} ({error.errors()[0]['msg']})"
