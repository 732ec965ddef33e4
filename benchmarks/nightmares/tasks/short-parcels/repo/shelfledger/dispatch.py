"""Orders, and sending them off."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable, Sequence

from .errors import StockError
from .warehouse import Warehouse


@dataclass(frozen=True)
class OrderLine:
    """Some pieces of an article, and the shelf to take them from."""

    shelf: str
    article: str
    count: int


@dataclass(frozen=True)
class Order:
    """What a customer gets."""

    number: str
    lines: Sequence[OrderLine]


@dataclass
class ShipmentReport:
    """What became of some orders."""

    shipped: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    def render(self) -> str:
        lines = [f"{len(self.shipped)} orders shipped"]
        lines += [f"{number} not shipped: {reason}" for number, reason in self.refused.items()]
        return "\n".join(lines)


class Dispatch:
    """Takes orders off the shelves."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def ship(self, order: Order) -> None:
        """Ship an order, all of it.

        Raises:
            StockError: a line of it is not possible; nothing has been taken from the shelves.
        """
        with self._warehouse.unit():
            for line in order.lines:
                self._warehouse.pick(line.shelf, line.article, line.count)
            self._warehouse.journal.note(f"ship {order.number}")

    def ship_all(self, orders: Iterable[Order]) -> ShipmentReport:
        """Ship every order that is possible."""
        report = ShipmentReport()
        for order in orders:
            try:
                self.ship(order)
            except StockError as error:
                report.refused[order.number] = str(error)
            else:
                report.shipped.append(order.number)
        return report
