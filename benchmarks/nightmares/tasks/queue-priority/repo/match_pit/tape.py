"""The record of all trades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Iterator


@dataclass(frozen=True)
class Trade:
    buyer: str
    seller: str
    quantity: int
    price: int

    @property
    def value(self) -> int:
        return self.quantity * self.price


class Tape:
    """Trades in order; listeners hear of each one."""

    def __init__(self) -> None:
        self._trades: list[Trade] = []
        self._listeners: list[Callable[[Trade], None]] = []

    def listen(self, listener: Callable[[Trade], None]) -> None:
        self._listeners.append(listener)

    def print(self, trade: Trade) -> None:
        self._trades.append(trade)
        for listener in self._listeners:
            listener(trade)

    def lines(self) -> list[str]:
        return [f"{trade.buyer} < {trade.seller} {trade.quantity} @ {trade.price}" for trade in self._trades]

    def __iter__(self) -> Iterator[Trade]:
        return iter(self._trades)

    def __len__(self) -> int:
        return len(self._trades)
