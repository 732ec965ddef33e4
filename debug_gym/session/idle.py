"""A clock that runs out when nobody calls for a while."""

import time
from collections.abc import Callable
from threading import TIMEOUT_MAX, RLock, Timer


class IdleTimer:
    """Calls back, on a thread of its own, once so many seconds have passed since the last ``touch``.

    Args:
        seconds: how long to wait; None: for ever.
        lock: held while a call is played, and while ``on_idle`` runs: a long call is not idleness.
        on_idle: what to do then. It is called once.
    """

    def __init__(self, seconds: float | None, lock: RLock, on_idle: Callable[[], None]) -> None:
        self._seconds, self._lock, self._on_idle = seconds, lock, on_idle
        self._touched = time.monotonic()
        self._timer: Timer | None = None
        self._over = False

    def start(self) -> None:
        """Begin to wait."""
        self.touch()
        self._wait()

    def touch(self) -> None:
        """Somebody called: wait anew."""
        self._touched = time.monotonic()

    def cancel(self) -> None:
        """Do not wait any more."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()

    def _left(self, seconds: float) -> float:
        return self._touched + seconds - time.monotonic()

    def _wait(self) -> None:
        if self._seconds is not None and not self._over:
            self._timer = Timer(min(max(0.0, self._left(self._seconds)), TIMEOUT_MAX), self._look)
            self._timer.daemon = True
            self._timer.start()

    def _look(self) -> None:
        with self._lock:
            if self._over or self._seconds is None:
                return
            if self._left(self._seconds) > 0:
                self._wait()
            else:
                self._over = True
                self._on_idle()
