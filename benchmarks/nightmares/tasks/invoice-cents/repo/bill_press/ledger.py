"""What was invoiced, for the bookkeepers."""

from __future__ import annotations

from decimal import Decimal
from threading import Lock

from .invoice import Invoice


class Ledger:
    """Sums over all booked invoices. May be shared by several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._booked: dict[str, Decimal] = {}
        self.tax = Decimal(0)

    def book(self, invoice: Invoice) -> None:
        with self._lock:
            if invoice.number in self._booked:
                raise ValueError(f"invoice {invoice.number} is already booked")
            self._booked[invoice.number] = invoice.total
            self.tax += invoice.tax

    @property
    def turnover(self) -> Decimal:
        return sum(self._booked.values(), Decimal(0))

    def __contains__(self, number: object) -> bool:
        return number in self._booked
