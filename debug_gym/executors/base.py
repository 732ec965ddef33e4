"""What plays attempts: an executor in this process, or one on machines elsewhere."""

from collections.abc import Callable
from typing import Protocol

from debug_gym.episode import Step
from debug_gym.session import Attempt, AttemptConfig, Passing, Recorder
from debug_gym.store.records import Result

WAITING = 8
"""Episodes for each CPU where agents spend their time waiting for a model."""
WORKING = 2
"""Environments for each CPU that may work at the same time; the others wait, so that a test run does not
exceed its time limit for want of a CPU."""
LOSSES = 3
"""After so many lost workers, an attempt is not tried again: it may be what kills them."""


class LostError(Exception):
    """A worker was lost together with the attempt it played: another one has to play it from its start."""


class Executor(Protocol):
    """Plays attempts, one for each worker at a time. Workers are numbered from 0, and each is asked from a
    thread of its own."""

    workers: int
    """Attempts that can be played at the same time."""

    def ready(self, worker: int) -> bool:
        """Whether a worker can play now; waits for a fraction of a second if not.

        Raises:
            ConfigError: it never will.
        """

    def play(
        self, worker: int, attempt: Attempt, recorder: Recorder, on_step: Callable[[Step, Passing], None]
    ) -> Result:
        """Play an attempt to its end; everything is in the recorder when this returns.

        Raises:
            LostError: the worker is gone.
            TaskError: the task's repository cannot be had.
            AbandonedError: the run was stopped.
            ConfigError: no attempt can be played with this configuration.
            StorageError: a line cannot be written.
        """

    def close(self) -> None:
        """End everything that is still going on elsewhere."""


def episodes_per_cpu(config: AttemptConfig) -> int:
    """How many episodes keep a CPU busy."""
    return WAITING if config.model else 1
