"""The receiving side."""

from collections import Counter
from typing import Dict, List, Tuple

from .fields import FieldError
from .frames import FrameReader
from .messages import Cancellation, Message, Order, from_frame


class Warehouse:
    """Keeps the open orders of all offices."""

    def __init__(self) -> None:
        self.reader = FrameReader()
        self.orders: Dict[Tuple[str, int], Order] = {}
        self.rejected: List[str] = []
        self.seen: Counter = Counter()
        """Messages by office."""

    def receive(self, data: bytes) -> None:
        for frame in self.reader.feed(data):
            try:
                self._handle(from_frame(frame))
            except (FieldError, ValueError) as error:
                self.rejected.append(str(error))

    def _handle(self, message: Message) -> None:
        self.seen[message.office] += 1
        if isinstance(message, Order):
            self.orders[message.office, message.number] = message
        elif isinstance(message, Cancellation):
            self.orders.pop((message.office, message.number), None)

    def needed(self) -> Counter:
        """Pieces by article."""
        pieces: Counter = Counter()
        for order in self.orders.values():
            pieces[order.article] += order.quantity
        return pieces
