"""Rate limits that all who ask a model share, so that one refusal by a server slows all of them.

Nobody who waits here holds the CPU.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class RateLimits:
    """What a server allows; None: no limit."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    max_concurrent: int | None = None


@dataclass
class Ticket:
    """One request that was let through."""

    began: float
    tokens: int
    """An estimate; whoever sends the request corrects it when the reply has come."""


class Limiter:
    """Lets requests through when they are due.

    At most the limits' requests and tokens fall into any stretch of ``window`` seconds. When the server
    refuses a request as one too many, nobody sends any for a while, and then at most half as many at a time
    as before; each success lets one more through, as in TCP's congestion control.
    """

    def __init__(self, limits: RateLimits, window: float = 60.0) -> None:
        """``window``: seconds of any stretch in which the limits a minute are kept."""
        self.limits = limits
        self._window = window
        self._changed = threading.Condition()
        self._running = 0
        self._width = math.inf
        """How many may be under way since the server refused; infinite before that."""
        self._recent: deque[Ticket] = deque()
        self._paused_until = -math.inf

    @contextmanager
    def turn(self, tokens: int) -> Iterator[Ticket]:
        """Wait for one's turn, and hold it while the request is under way."""
        with self._changed:
            while (seconds := self._wait(tokens)) > 0:
                self._changed.wait(None if seconds == math.inf else seconds)
            ticket = Ticket(time.monotonic(), tokens)
            self._recent.append(ticket)
            self._running += 1
        succeeded = False
        try:
            yield ticket
            succeeded = True
        finally:
            with self._changed:
                self._running -= 1
                self._width += succeeded
                self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """The server refused a request: nobody sends one for so long, and fewer at a time afterwards."""
        with self._changed:
            now = time.monotonic()
            if now >= self._paused_until:  # requests that were under way together are refused together
                self._width = max(1, min(self._width, self._running + 1) // 2)
            self._paused_until = max(self._paused_until, now + seconds)

    def _wait(self, tokens: int) -> float:
        """Seconds until it makes sense to look again; 0: go; infinite: when something has changed."""
        now, limits = time.monotonic(), self.limits
        while self._recent and self._recent[0].began <= now - self._window:
            self._recent.popleft()
        if now < self._paused_until:
            return self._paused_until - now
        if self._running >= min(self._width, limits.max_concurrent or math.inf):
            return math.inf
        used = sum(ticket.tokens for ticket in self._recent)
        # A request that is larger than the limit is let through when it is alone, or it would wait for ever.
        if len(self._recent) >= (limits.requests_per_minute or math.inf) or (
            self._recent and used + tokens > (limits.tokens_per_minute or math.inf)
        ):
            return self._recent[0].began + self._window - now
        return 0.0
