"""All deliveries, and which of them are due."""

from __future__ import annotations

from itertools import count
from typing import Any, Iterator

from .delivery import Delivery, Fate


class DeliveryQueue:
    """Deliveries by number."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._deliveries: dict[int, Delivery] = {}

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self._deliveries.values())

    def __getitem__(self, number: int) -> Delivery:
        return self._deliveries[number]

    def add(self, url: str, event: dict[str, Any], now: float) -> Delivery:
        """A new delivery, due at once."""
        delivery = Delivery(next(self._numbers), url, event, due=now)
        if not delivery.host:
            raise ValueError(f"{url!r} has no host")
        self._deliveries[delivery.number] = delivery
        return delivery

    def due(self, now: float) -> list[Delivery]:
        """What should be tried now: the longest due first, then the oldest."""
        waiting = [each for each in self if each.fate is Fate.WAITING and each.due <= now]
        return sorted(waiting, key=lambda each: (each.due, each.number))

    def count(self, fate: Fate) -> int:
        return sum(each.fate is fate for each in self)
