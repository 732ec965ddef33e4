"""Invoices, to the cent."""

from .invoice import Invoice, Line, TaxGroup
from .ledger import Ledger
from .money import configure, parse_amount
from .press import Press, Printed, preview
from .rates import UnknownRate, rate_of

__all__ = [
    "Invoice",
    "Ledger",
    "Line",
    "Press",
    "Printed",
    "TaxGroup",
    "UnknownRate",
    "parse_amount",
    "preview",
    "rate_of",
]

configure()
