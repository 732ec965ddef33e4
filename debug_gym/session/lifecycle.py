"""Whether an attempt goes on: one call at a time, and the ways in which it ends."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from threading import Event, RLock
from typing import Any

from debug_gym.episode import ModelReply
from debug_gym.errors import ConfigError, DebugGymError
from debug_gym.session.attempt import AbandonedError, EpisodeOverError
from debug_gym.session.idle import IdleTimer
from debug_gym.session.record import Record, Usage
from debug_gym.store.records import Result
from debug_gym.store.writer import StorageError


class Lifecycle:
    """Guards an attempt: calls come from any thread, and whatever they raise ends in its record.

    Args:
        record: of the attempt.
        turn: held while a call is played.
        stop: once it is set, the attempt is abandoned at its next call.
        close: lets go of the environment.
    """

    def __init__(
        self, record: Record, turn: AbstractContextManager[Any], stop: Event, close: Callable[[], None]
    ) -> None:
        self.lock = RLock()
        self._record, self._turn, self._stop, self._let_go = record, turn, stop, close
        self._leaving = Event()
        self._broken: EpisodeOverError | None = None
        """What ended it without a result."""
        self._idle: IdleTimer | None = None

    @property
    def live(self) -> bool:
        """Calls can be played."""
        return self._record.result is None and self._broken is None

    @property
    def left(self) -> bool:
        """It was abandoned or stopped: there will be no result."""
        return self._leaving.is_set() or self._stop.is_set()

    def watch(self, seconds: float | None, judge: Callable[[str], object]) -> None:
        """From now on, ``judge`` it once so many seconds have passed without a call; None: never."""

        def idle() -> None:
            with suppress(DebugGymError):  # it is in the records, or the next call is told
                judge(f"there was no call for {seconds:g} s")

        self._idle = IdleTimer(seconds, self.lock, idle)
        self._idle.start()

    @contextmanager
    def call(self) -> Iterator[None]:
        """Play one call, and see to its errors."""
        with self.lock:
            self.demand_live()
            try:
                with self._turn:
                    self.demand_wanted()
                    yield
            except (ConfigError, StorageError) as error:  # of all attempts, not of this one
                self._break(_broken_by(error))
                raise
            except Exception as error:  # whatever an environment throws: it ends this attempt, not more
                if self.left:
                    self._break(AbandonedError())
                    raise AbandonedError from error
                if self._record.attempt is None:  # there is no name to record it under
                    self._break(_broken_by(error))
                    raise
                self.fail(error)
                if isinstance(error, DebugGymError):
                    raise
                raise DebugGymError(self._how()) from error
            finally:
                if self._idle is not None:
                    self._idle.touch()
                if self._leaving.is_set() and self.live:
                    self._break(AbandonedError())

    def demand_live(self) -> None:
        """Raises EpisodeOverError where no call can be played any more."""
        if not self.live:
            raise self._broken or EpisodeOverError(self._how())

    def demand_wanted(self) -> None:
        """Raises AbandonedError where nobody wants the result any more."""
        if self.left:
            raise AbandonedError

    def end(self, store: Callable[[], Result]) -> Result:
        """Store how it ended, and let go of everything."""
        try:
            result = store()
        except StorageError as error:
            self._break(_broken_by(error))
            raise
        self._close()
        return result

    def fail(
        self, error: Exception, usage: Usage | None = None, replies: Sequence[ModelReply] = ()
    ) -> Result:
        """See ``AttemptSession.fail``."""
        with self.lock:
            if self._broken is not None:
                raise self._broken
            if self._record.result is not None:
                return self._record.result
            return self.end(lambda: self._record.failed(error, usage or {}, replies))

    def abandon(self, wait: float | None = None) -> None:
        """See ``AttemptSession.abandon``."""
        self._leaving.set()
        if self.lock.acquire(timeout=-1 if wait is None else wait):
            try:
                if self.live:
                    self._break(AbandonedError())
            finally:
                self.lock.release()

    def _break(self, why: EpisodeOverError) -> None:
        """It ends without a result."""
        if self._broken is None:
            self._broken = why
            self._close()

    def _close(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._record.recorder.close()
        self._let_go()

    def _how(self) -> str:
        result = self._record.result
        return (result.reason or result.status) if result is not None else ""


def _broken_by(error: Exception) -> EpisodeOverError:
    return EpisodeOverError(f"an error broke it off: {error}")
