"""Where attempts are played: in this process, or on machines elsewhere (``debug_gym.executors.ray``)."""

import os
from collections.abc import Callable
from threading import BoundedSemaphore, Event
from typing import Protocol

from debug_gym.episode import Step
from debug_gym.runs.attempt import Lines, Player, Tests
from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import Attempt, Setup
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
    """Plays attempts, one for each worker at a time. Workers are threads, numbered from 0."""

    workers: int
    """Attempts that can be played at the same time."""

    def ready(self, worker: int) -> bool:
        """Whether a worker can play now; waits for a fraction of a second if not.

        Raises:
            ConfigError: it never will.
        """

    def play(
        self, worker: int, attempt: Attempt, lines: Lines, on_step: Callable[[Step, Tests], None]
    ) -> Result:
        """Play an attempt to its end.

        Raises:
            LostError: the worker is gone.
            Stopped: the run was stopped.
            ConfigError: no attempt can be played with this configuration.
            StorageError: a line cannot be written.
        """

    def close(self) -> None:
        """End everything that is still going on elsewhere."""


def episodes_per_cpu(config: RunConfig) -> int:
    """How many episodes keep a CPU busy."""
    return WAITING if config.model else 1


class LocalExecutor:
    """This process: its work is done by sandboxes, which are processes of their own, and by model servers."""

    def __init__(self, setup: Setup, stop: Event) -> None:
        cpus = os.cpu_count() or 1
        self.workers = setup.config.workers or cpus * episodes_per_cpu(setup.config)
        self._setup, self._stop = setup, stop
        self._turns = BoundedSemaphore(WORKING * cpus)

    def ready(self, worker: int) -> bool:
        """Always."""
        return True

    def play(
        self, worker: int, attempt: Attempt, lines: Lines, on_step: Callable[[Step, Tests], None]
    ) -> Result:
        """See ``Executor.play``."""
        return Player(self._setup, attempt, self._stop, self._turns).play(lines, on_step)

    def close(self) -> None:
        """Nothing is elsewhere."""
