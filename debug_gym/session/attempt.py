"""What an attempt is, how it ends before its time, and where its records go."""

from dataclasses import dataclass
from typing import Protocol

from debug_gym.episode import Step
from debug_gym.errors import DebugGymError
from debug_gym.store.records import End, Result, Start
from debug_gym.task import Task


@dataclass(frozen=True)
class Attempt:
    """One try at one task."""

    task: Task
    """All of it, gold patch and hidden tests too: not for agents."""
    number: int = 0
    """Counts from 0."""
    seed: int = 0

    @property
    def key(self) -> tuple[str, int]:
        """Task id and number, as in ``Result.key``."""
        return self.task.id, self.number


class EpisodeOverError(DebugGymError):
    """The episode has ended: no further call can be played in it."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the episode is over: {why}")


class AbandonedError(EpisodeOverError):
    """The attempt was abandoned, or its run was stopped: it stays unfinished."""

    def __init__(self) -> None:
        super().__init__("it was left")


class Recorder(Protocol):
    """Where an attempt is recorded: in a run's folder, or by a stream to the machine that has it."""

    empty: bool
    """Nothing was written yet."""

    def write(self, line: Start | Step | End) -> None:
        """Append a line of the trajectory.

        Raises:
            StorageError: it cannot be stored.
        """

    def add(self, result: Result) -> None:
        """The attempt is over: store how it went. Raises as ``write`` does."""

    def close(self) -> None:
        """Let go of the files."""


class Unrecorded:
    """Keeps nothing: the session itself knows the trajectory and the result."""

    empty = True

    def write(self, line: Start | Step | End) -> None:
        """See ``Recorder``."""
        self.empty = False

    def add(self, result: Result) -> None:
        """See ``Recorder``."""

    def close(self) -> None:
        """See ``Recorder``."""
