"""Play all attempts of a plan on several workers, store each result, and stop cleanly on Ctrl-C.

A worker is a thread with an environment and an agent of its own; the work is done by sandboxes, which are
processes of their own, and by model servers.
"""

import contextlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event as Flag
from threading import Thread

from debug_gym.episode import Step
from debug_gym.runs.attempt import Player, Stopped, Tests
from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import Attempt, Plan
from debug_gym.runs.store import Result, Run
from debug_gym.runs.writer import RunWriter

GRACE = 5.0
"""Seconds that a stopped run waits for its workers."""


@dataclass(frozen=True)
class Opened:
    """The run's folder is ready."""

    run: Run
    kept: tuple[Result, ...]
    """Attempts that an earlier start has finished."""
    workers: int


@dataclass(frozen=True)
class Began:
    """A worker took an attempt."""

    worker: int
    attempt: Attempt


@dataclass(frozen=True)
class Stepped:
    """A worker's agent did one step."""

    worker: int
    step: Step
    tests: Tests


@dataclass(frozen=True)
class Finished:
    """An attempt's result is stored."""

    worker: int
    result: Result


@dataclass(frozen=True)
class Stopping:
    """Ctrl-C came: nothing new is started, and what is running is given up."""


Event = Opened | Began | Stepped | Finished | Stopping


@dataclass(frozen=True)
class _Left:
    """A worker has nothing more to do, or could not go on."""

    error: Exception | None = None


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    run: Run
    results: tuple[Result, ...]
    interrupted: bool
    seconds: float
    """Wall-clock time of this start of the run."""


def execute(plan: Plan, on_event: Callable[[Event], None] = lambda event: None) -> Outcome:
    """Play what is not yet finished in the plan's folder.

    Args:
        plan: what to play.
        on_event: called in this thread for everything that happens.

    Raises:
        ConfigError: the folder holds another run, or another process works on it.
        StorageError: a file cannot be written.
        KeyboardInterrupt: a second Ctrl-C came while the run was being stopped.
    """
    began = time.monotonic()
    with RunWriter.begin(plan.config.folder, plan.manifest(), inert=RunConfig.INERT) as writer:
        kept = tuple(writer.run.results())
        done = {result.key for result in kept}
        todo = [attempt for attempt in plan.attempts() if attempt.key not in done]
        crew = _Crew(plan, writer, todo)
        on_event(Opened(writer.run, kept, crew.size))
        interrupted = crew.work(on_event)
        writer.write_predictions()
        return Outcome(writer.run, tuple(writer.run.results()), interrupted, time.monotonic() - began)


class _Crew:
    """The workers of a run."""

    def __init__(self, plan: Plan, writer: RunWriter, todo: list[Attempt]) -> None:
        self._plan, self._writer, self._todo = plan, writer, deque(todo)
        self._stop = Flag()
        self._events: SimpleQueue[Event | _Left] = SimpleQueue()
        self.size = self._present = min(plan.config.workers, len(todo))

    def work(self, on_event: Callable[[Event], None]) -> bool:
        """Play everything; whether Ctrl-C ended it."""
        try:
            for worker in range(self.size):
                Thread(target=self._worker, args=(worker,), name=f"worker-{worker}", daemon=True).start()
            self._relay(on_event)
        except KeyboardInterrupt:
            on_event(Stopping())
            self._wind_down(on_event)
            return True
        except BaseException:
            self._wind_down(lambda event: None)
            raise
        return False

    def _relay(self, on_event: Callable[[Event], None], timeout: float | None = None) -> None:
        """Pass events on until all workers have left, or raise ``Empty`` when the time is over."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while self._present:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            event = self._events.get(timeout=left)
            if not isinstance(event, _Left):
                on_event(event)
                continue
            self._present -= 1
            if event.error is not None:
                raise event.error

    def _wind_down(self, on_event: Callable[[Event], None]) -> None:
        """Give each worker the time to end its step and to close its sandbox.

        Who is busy for longer stops at its next step, or ends with this process, as its sandbox then does.
        """
        self._stop.set()
        with contextlib.suppress(Empty):
            self._relay(on_event, GRACE)

    def _worker(self, worker: int) -> None:
        failure: Exception | None = None
        try:
            while not self._stop.is_set() and (attempt := self._next()) is not None:
                self._play(worker, attempt)
        except Stopped:
            pass
        except Exception as error:  # a thread's boundary: the main thread raises it
            failure = error
        self._events.put(_Left(failure))

    def _next(self) -> Attempt | None:
        try:
            return self._todo.popleft()
        except IndexError:
            return None

    def _play(self, worker: int, attempt: Attempt) -> None:
        self._events.put(Began(worker, attempt))
        player = Player(self._plan, attempt, self._stop)
        with contextlib.closing(self._writer.episode(*attempt.key)) as file:
            result = player.play(file, lambda step, tests: self._events.put(Stepped(worker, step, tests)))
        self._writer.add(result)
        self._events.put(Finished(worker, result))
