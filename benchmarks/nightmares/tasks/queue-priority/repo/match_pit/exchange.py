"""Takes orders and matches them."""

from __future__ import annotations

import itertools
from typing import Optional

from .accounts import Accounts
from .book import Book, Level
from .orders import Order, OrderError, Side
from .tape import Tape, Trade


class Exchange:
    """One instrument."""

    def __init__(self) -> None:
        self.book = Book()
        self.tape = Tape()
        self.accounts = Accounts()
        self.tape.listen(self.accounts.book)
        self._numbers = itertools.count(1)

    def buy(self, trader: str, quantity: int, price: int, peak: Optional[int] = None) -> int:
        return self._submit(Order(next(self._numbers), trader, Side.BUY, quantity, price, peak))

    def sell(self, trader: str, quantity: int, price: int, peak: Optional[int] = None) -> int:
        return self._submit(Order(next(self._numbers), trader, Side.SELL, quantity, price, peak))

    def cancel(self, number: int) -> None:
        order = self.book.find(number)
        if order is None:
            raise OrderError(f"order {number} is not in the book")
        order.cancel()

    def cancel_all(self, trader: str) -> int:
        """Returns how many orders were cancelled."""
        own = [order for order in self.book if order.trader == trader]
        for order in own:
            order.cancel()
        return len(own)

    def _submit(self, order: Order) -> int:
        while order.is_open:
            level = self.book.best(order.side.opposite)
            if level is None or not order.accepts(level.price):
                break
            self._match(order, level)
        if order.is_open:
            self.book.add(order)
        return order.number

    def _match(self, order: Order, level: Level) -> None:
        """Trade with the orders of a level until either side is used up."""
        for resting in level.orders:
            if not order.is_open:
                break
            if resting.trader == order.trader:
                resting.cancel()
                continue
            self._trade(order, resting, min(order.remaining, resting.shown))

    def _trade(self, incoming: Order, resting: Order, quantity: int) -> None:
        buyer, seller = (incoming, resting) if incoming.side is Side.BUY else (resting, incoming)
        self.tape.print(Trade(buyer.trader, seller.trader, quantity, resting.price))
        resting.fill(quantity)
        incoming.fill(quantity)
