"""Orders and what happens to them."""

from __future__ import annotations

import enum
from typing import Callable, Optional


class OrderError(ValueError):
    """An order cannot be accepted."""


class Side(enum.Enum):
    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class Order:
    """A limit order. Prices are in ticks, quantities in lots."""

    def __init__(
        self, number: int, trader: str, side: Side, quantity: int, price: int, peak: Optional[int] = None
    ) -> None:
        if quantity < 1 or price < 1:
            raise OrderError("quantity and price must be positive")
        if peak is not None and not 1 <= peak <= quantity:
            raise OrderError("the peak must lie between 1 and the quantity")
        self.number = number
        self.trader = trader
        self.side = side
        self.price = price
        self.remaining = quantity
        self.peak = peak
        self.shown = quantity if peak is None else peak
        self.cancelled = False
        self.on_done: Optional[Callable[[Order], None]] = None
        self.on_refill: Optional[Callable[[Order], None]] = None

    @property
    def is_open(self) -> bool:
        return self.remaining > 0 and not self.cancelled

    def accepts(self, price: int) -> bool:
        """Whether it may trade at a price."""
        return price <= self.price if self.side is Side.BUY else price >= self.price

    def fill(self, quantity: int) -> None:
        if quantity > self.remaining:
            raise OrderError(f"order {self.number} has only {self.remaining} lots left")
        self.remaining -= quantity
        self.shown -= quantity
        if self.remaining == 0:
            self._done()
        elif self.shown <= 0:
            self.shown = min(self.peak or self.remaining, self.remaining)
            if self.on_refill is not None:
                self.on_refill(self)

    def cancel(self) -> None:
        self.cancelled = True
        self._done()

    def _done(self) -> None:
        if self.on_done is not None:
            self.on_done(self)

    def __repr__(self) -> str:
        return f"<{self.trader} {self.side.value} {self.remaining} @ {self.price}>"
