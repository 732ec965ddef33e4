"""The courier: takes what is due to the hosts."""

from __future__ import annotations

from typing import Any, Callable

from .breaker import Breaker, State
from .delivery import Delivery, Fate
from .policy import Policy
from .queue import DeliveryQueue

Transport = Callable[[str, dict[str, Any]], int]
"""Posts an event to a URL and returns the status; raises ``OSError`` when there is no answer."""


class Courier:
    """Sends deliveries and decides what becomes of them."""

    def __init__(self, transport: Transport, policy: Policy | None = None) -> None:
        self.queue = DeliveryQueue()
        self._transport = transport
        self._policy = policy or Policy()
        self._breakers: dict[str, Breaker] = {}

    @property
    def hosts(self) -> dict[str, Breaker]:
        """The breakers of all hosts that something was ever sent to."""
        return dict(sorted(self._breakers.items()))

    def post(self, url: str, event: dict[str, Any], now: float) -> Delivery:
        """Take on a delivery; it goes out in the next round."""
        return self.queue.add(url, event, now)

    def round(self, now: float) -> int:
        """Send what is due and allowed. Returns how many were sent, successfully or not."""
        sent = 0
        tried: set[str] = set()
        for delivery in self.queue.due(now):
            breaker = self._breaker(delivery.host)
            if not breaker.allows(now):
                continue
            if breaker.state is State.HALF_OPEN and delivery.host in tried:
                continue
            tried.add(delivery.host)
            self._send(delivery, breaker, now)
            sent += 1
        return sent

    def _breaker(self, host: str) -> Breaker:
        return self._breakers.setdefault(host, Breaker(self._policy))

    def _send(self, delivery: Delivery, breaker: Breaker, now: float) -> None:
        delivery.attempts += 1
        try:
            status = self._transport(delivery.url, delivery.event)
        except OSError as error:
            self._missed(delivery, breaker, now, str(error))
            return
        if status >= 500:
            self._missed(delivery, breaker, now, f"status {status}")
            return
        breaker.succeeded()
        if status >= 400:
            delivery.fate, delivery.reason = Fate.DEAD, f"status {status}"
        else:
            delivery.fate, delivery.reason = Fate.DELIVERED, ""

    def _missed(self, delivery: Delivery, breaker: Breaker, now: float, reason: str) -> None:
        breaker.failed(now)
        delivery.reason = reason
        if delivery.attempts >= self._policy.max_attempts:
            delivery.fate = Fate.DEAD
        else:
            delivery.due = now + self._policy.retry_after(delivery.attempts)
