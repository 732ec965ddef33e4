"""Attempts in threads of this process: sandboxes, which are processes, and model servers do the work."""

import os
from collections.abc import Callable
from threading import BoundedSemaphore, Event

from debug_gym.episode import Step
from debug_gym.executors.base import WORKING, episodes_per_cpu
from debug_gym.session import Attempt, Passing, Recorder, Setup, play_attempt
from debug_gym.store.records import Result


class LocalExecutor:
    """Plays in the thread that asks.

    Args:
        setup: makes agents and environments.
        stop: once it is set, attempts are abandoned.
        workers: attempts at the same time; None: as many as keep the CPUs busy.
    """

    def __init__(self, setup: Setup, stop: Event, workers: int | None = None) -> None:
        cpus = os.cpu_count() or 1
        self.workers = workers or cpus * episodes_per_cpu(setup.config)
        self._setup, self._stop = setup, stop
        self._turns = BoundedSemaphore(WORKING * cpus)

    def ready(self, worker: int) -> bool:
        """Always."""
        return True

    def play(
        self, worker: int, attempt: Attempt, recorder: Recorder, on_step: Callable[[Step, Passing], None]
    ) -> Result:
        """See ``Executor.play``."""
        return play_attempt(
            self._setup, attempt, recorder, on_step=on_step, stop=self._stop, turn=self._turns
        )

    def close(self) -> None:
        """Nothing is elsewhere."""
