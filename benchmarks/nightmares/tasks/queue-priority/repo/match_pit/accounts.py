"""Who owns what after the trades."""

from __future__ import annotations

from dataclasses import dataclass

from .tape import Trade


@dataclass
class Position:
    lots: int = 0
    cash: int = 0


class Accounts:
    """The positions of all traders; nobody has any at the start."""

    def __init__(self) -> None:
        self._positions: dict[str, Position] = {}

    def __getitem__(self, trader: str) -> Position:
        return self._positions.setdefault(trader, Position())

    def book(self, trade: Trade) -> None:
        buyer, seller = self[trade.buyer], self[trade.seller]
        buyer.lots += trade.quantity
        buyer.cash -= trade.value
        seller.lots -= trade.quantity
        seller.cash += trade.value
