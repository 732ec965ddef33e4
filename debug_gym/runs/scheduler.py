"""Play all attempts of a plan on several workers, store each result, and stop cleanly on Ctrl-C.

A worker is a thread here, whoever plays: it takes an attempt, has it played on its executor, and stores what
comes back. Only this process writes to the run's folder.
"""

import contextlib
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from queue import Empty, SimpleQueue
from threading import Condition, Thread
from threading import Event as Flag

from debug_gym.episode import Step
from debug_gym.errors import SandboxError, TaskError
from debug_gym.executors.base import LOSSES, Executor, LostError
from debug_gym.executors.local import LocalExecutor
from debug_gym.executors.processes import ProcessExecutor
from debug_gym.runs.ahead import fetch_ahead
from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import Plan
from debug_gym.sandbox import FetchingBackend
from debug_gym.session import AbandonedError, Attempt, Passing
from debug_gym.store.records import Result, Run
from debug_gym.store.writer import RunWriter

LEAST = 2
"""Attempts that must have failed before a run is given up."""
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
    tests: Passing


@dataclass(frozen=True)
class Finished:
    """An attempt's result is stored."""

    worker: int
    result: Result


@dataclass(frozen=True)
class Lost:
    """A worker was lost with the attempt it played, which goes back to those that wait."""

    worker: int
    attempt: Attempt
    reason: str


@dataclass(frozen=True)
class Fetching:
    """What sandboxes start from is on its way."""

    what: str


@dataclass(frozen=True)
class Stopping:
    """Ctrl-C came: nothing new is started, and what is running is given up."""


Event = Opened | Began | Stepped | Finished | Lost | Fetching | Stopping


@dataclass(frozen=True)
class _Left:
    """A worker has nothing more to do, or could not go on."""

    error: BaseException | None = None


@dataclass(frozen=True)
class Execution:
    """How a run ended."""

    run: Run
    results: tuple[Result, ...]
    interrupted: bool
    given_up: bool
    """Nothing could be played: the first attempts all ended in infrastructure errors."""
    seconds: float
    """Wall-clock time of this start of the run."""


def execute(plan: Plan, on_event: Callable[[Event], None] = lambda event: None) -> Execution:
    """Play what is not yet finished in the plan's folder.

    Args:
        plan: what to play.
        on_event: called in this thread for everything that happens.

    Raises:
        ConfigError: the folder holds another run, another process works on it, or there is no such cluster.
        ModelError: the model cannot be asked; nothing was played.
        MissingExtraError: the configuration asks for Ray, which is not installed.
        StorageError: a file cannot be written.
        KeyboardInterrupt: a second Ctrl-C came while the run was being stopped.
    """
    began = time.monotonic()
    with RunWriter.begin(plan.config.folder, plan.manifest(), inert=RunConfig.INERT) as writer:
        kept = tuple(writer.run.results())
        done = {result.key for result in kept}
        todo = [attempt for attempt in plan.attempts() if attempt.key not in done]
        if todo and plan.model is not None and plan.config.ray is None:  # elsewhere it may be within reach
            plan.model.check()
        stop = Flag()
        with contextlib.closing(_executor(plan, stop)) as executor:
            workers = _Workers(plan, writer, todo, executor, stop)
            on_event(Opened(writer.run, kept, workers.size))
            interrupted = workers.work(on_event)
        writer.write_predictions()
        results = tuple(writer.run.results())
        return Execution(writer.run, results, interrupted, workers.given_up, time.monotonic() - began)


def _executor(plan: Plan, stop: Flag) -> Executor:
    if plan.config.ray is None and plan.config.processes > 1:
        return ProcessExecutor(plan, stop, plan.config.processes, plan.config.workers)
    if plan.config.ray is None:
        return LocalExecutor(plan, stop, plan.config.workers)
    from debug_gym.executors.ray import RayExecutor

    return RayExecutor(plan.config, plan.config.ray, stop, plan.config.workers)


class _Todo:
    """The attempts that are not finished. One that was lost is played before those that nobody has begun."""

    def __init__(self, attempts: Iterable[Attempt]) -> None:
        self._waiting = deque(attempts)
        self._playing = 0
        self._changed = Condition()

    @property
    def over(self) -> bool:
        """Nothing waits, and nothing that is being played can come back."""
        with self._changed:
            return not self._waiting and not self._playing

    def take(self, timeout: float = 0.5) -> Attempt | None:
        """The next attempt, or None if there is none yet."""
        with self._changed:
            if not self._waiting:
                self._changed.wait_for(lambda: self._waiting or not self._playing, timeout)
            if not self._waiting:
                return None
            self._playing += 1
            return self._waiting.popleft()

    def upcoming(self, count: int) -> list[Attempt]:
        """The next ones, at most so many."""
        with self._changed:
            return list(islice(self._waiting, count))

    def clear(self) -> bool:
        """Nobody plays those that wait; whether any did."""
        with self._changed:
            waited = bool(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()
            return waited

    def finish(self, *, lost: Attempt | None = None) -> None:
        """One that was taken is finished, or was lost."""
        with self._changed:
            self._playing -= 1
            if lost is not None:
                self._waiting.appendleft(lost)
            self._changed.notify_all()


class _Workers:
    """The workers of a run."""

    def __init__(
        self, plan: Plan, writer: RunWriter, todo: list[Attempt], executor: Executor, stop: Flag
    ) -> None:
        self._plan, self._writer, self._executor, self._stop = plan, writer, executor, stop
        self._todo = _Todo(todo)
        self._losses: Counter[tuple[str, int]] = Counter()
        self._events: SimpleQueue[Event | _Left] = SimpleQueue()
        self.size = self._present = min(executor.workers, len(todo))
        self._failed = 0
        self.given_up = False
        """As many attempts as there are workers failed, none was judged, and others were left."""

    def work(self, on_event: Callable[[Event], None]) -> bool:
        """Play everything; whether Ctrl-C ended it."""
        try:
            self._fetch_ahead()
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

    def _fetch_ahead(self) -> None:
        """Where sandboxes start from something that has to come first, let it come before it is needed."""
        backend = self._plan.backend
        if isinstance(backend, FetchingBackend) and self._plan.config.ray is None:
            backend.on_progress = self._fetching
            upcoming = partial(self._todo.upcoming, 2 * self.size)
            Thread(
                target=fetch_ahead, args=(backend, upcoming, self._is_over), name="ahead", daemon=True
            ).start()

    def _fetching(self, what: str) -> None:
        self._events.put(Fetching(what))

    def _is_over(self) -> bool:
        return self._stop.is_set() or self._todo.over

    def _relay(self, on_event: Callable[[Event], None], timeout: float | None = None) -> None:
        """Pass events on until all workers have left, or raise ``Empty`` when the time is over."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while self._present:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            event = self._events.get(timeout=left)
            if isinstance(event, Finished):
                self._heed(event.result)
            if not isinstance(event, _Left):
                on_event(event)
                continue
            self._present -= 1
            if event.error is not None:
                raise event.error

    def _heed(self, result: Result) -> None:
        """Play no more attempts once a whole wave of them has failed before anything else happened."""
        if result.status != "error":
            self._failed = -1  # something could be played: errors from now on are those of single attempts
        elif self._failed >= 0:
            self._failed += 1
            if self._failed >= max(self.size, LEAST) and self._todo.clear():
                self.given_up = True

    def _wind_down(self, on_event: Callable[[Event], None]) -> None:
        """Give each worker the time to end its step and to close its sandbox.

        Who is busy for longer stops at its next step, or ends with this process, as its sandbox then does.
        """
        self._stop.set()
        with contextlib.suppress(Empty):
            self._relay(on_event, GRACE)

    def _worker(self, worker: int) -> None:
        failure: BaseException | None = None
        try:
            while not self._stop.is_set() and not self._todo.over:
                if self._executor.ready(worker) and (attempt := self._todo.take()) is not None:
                    self._play(worker, attempt)
        except AbandonedError:
            pass
        except BaseException as error:  # a thread's boundary, also for SystemExit: the main thread raises it
            failure = error
        self._events.put(_Left(failure))

    def _play(self, worker: int, attempt: Attempt) -> None:
        self._events.put(Began(worker, attempt))
        with contextlib.closing(self._writer.episode(*attempt.key)) as file:
            try:
                result = self._executor.play(
                    worker, attempt, file, lambda step, tests: self._events.put(Stepped(worker, step, tests))
                )
            except LostError as lost:
                self._losses[attempt.key] += 1
                if self._losses[attempt.key] < LOSSES:
                    self._events.put(Lost(worker, attempt, str(lost)))
                    self._todo.finish(lost=attempt)
                    return
                error = SandboxError(f"{LOSSES} workers were lost while they played it: {lost}")
                result = self._plan.session(attempt, file).fail(error)
            except TaskError as error:
                result = self._plan.session(attempt, file).fail(error)
        self._events.put(Finished(worker, result))
        self._todo.finish()
