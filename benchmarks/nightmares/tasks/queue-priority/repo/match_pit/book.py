"""The resting orders."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterator, Optional

from .orders import Order, Side


@dataclass
class Level:
    """The queue at one price."""

    price: int
    orders: list[Order] = field(default_factory=list)

    @property
    def shown(self) -> int:
        return sum(order.shown for order in self.orders)


class Book:
    """Two sides of price levels."""

    def __init__(self) -> None:
        self._sides: dict[Side, dict[int, Level]] = {Side.BUY: {}, Side.SELL: {}}
        self._by_number: dict[int, Order] = {}

    def add(self, order: Order) -> None:
        """Put an order at the end of the queue at its price; it leaves the book by itself when it is done."""
        level = self._sides[order.side].setdefault(order.price, Level(order.price))
        level.orders.append(order)
        self._by_number[order.number] = order
        order.on_done = self._leave
        order.on_refill = self._requeue

    def best(self, side: Side) -> Optional[Level]:
        levels = self._sides[side]
        if not levels:
            return None
        return levels[max(levels) if side is Side.BUY else min(levels)]

    def find(self, number: int) -> Optional[Order]:
        return self._by_number.get(number)

    def depth(self, side: Side) -> list[tuple[int, int]]:
        """(price, shown lots), the best price first."""
        levels = sorted(self._sides[side].values(), key=lambda level: level.price, reverse=side is Side.BUY)
        return [(level.price, level.shown) for level in levels]

    def __iter__(self) -> Iterator[Order]:
        return iter(list(self._by_number.values()))

    def _leave(self, order: Order) -> None:
        level = self._sides[order.side][order.price]
        level.orders.remove(order)
        if not level.orders:
            del self._sides[order.side][order.price]
        del self._by_number[order.number]

    def _requeue(self, order: Order) -> None:
        level = self._sides[order.side][order.price]
        level.orders.remove(order)
        level.orders.append(order)
