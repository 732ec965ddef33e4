"""The sending side."""

import itertools
from typing import List

from .frames import bursts
from .messages import Cancellation, Message, Order, Ping, to_frame


class Office:
    """A branch office: collects messages and sends them in bursts."""

    def __init__(self, name: str, buffer_size: int = 4096) -> None:
        self.name = name
        self.buffer_size = buffer_size
        self._numbers = itertools.count(1)
        self._waiting: List[Message] = []

    def order(self, customer: str, article: str, quantity: int) -> int:
        """Returns the number of the order."""
        if quantity < 1:
            raise ValueError("the quantity must be positive")
        number = next(self._numbers)
        self._waiting.append(Order(self.name, number, customer, article, quantity))
        return number

    def cancel(self, number: int, reason: str = "") -> None:
        self._waiting.append(Cancellation(self.name, number, reason))

    def ping(self) -> None:
        self._waiting.append(Ping(self.name))

    def send(self) -> List[bytes]:
        """Everything that waits, as bursts for the line."""
        messages, self._waiting = self._waiting, []
        return list(bursts(map(to_frame, messages), self.buffer_size))
