"""Printing: one invoice on the screen, or all of a night."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Iterable

from .invoice import Invoice
from .ledger import Ledger
from .money import show


@dataclass(frozen=True)
class Printed:
    """A finished document."""

    number: str
    text: str


def preview(invoice: Invoice) -> str:
    """The text of an invoice."""
    rows = [f"Invoice {invoice.number}  {invoice.customer}"]
    for line in invoice.lines:
        rows.append(f"  {line.text:<20}{show(line.net):>12}")
    for group in invoice.groups:
        rows.append(f"  {f'tax {group.percent} %':<20}{show(group.tax):>12}")
    rows.append(f"  {'total':<20}{show(invoice.total):>12}")
    if invoice.parts > 1:
        rows.append("  to be paid as " + " + ".join(show(part) for part in invoice.payments()))
    return "\n".join(rows)


class Press:
    """Prints many invoices and books them."""

    def __init__(self, ledger: Ledger, workers: int = 4) -> None:
        self.ledger = ledger
        self.workers = workers

    def run(self, invoices: Iterable[Invoice]) -> list[Printed]:
        """Print invoices several at a time; the documents come back in the order of the invoices."""
        with ThreadPoolExecutor(self.workers, thread_name_prefix="press") as pool:
            return list(pool.map(self._print, invoices))

    def _print(self, invoice: Invoice) -> Printed:
        document = Printed(invoice.number, preview(invoice))
        self.ledger.book(invoice)
        return document
