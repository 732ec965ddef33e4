"""Rent for grain in silos, billed by fiscal week."""

from .bills import Bill, Line
from .calendar import first_day, quarter, week, week_of, weeks_in
from .house import SiloHouse
from .spans import Span
from .stock import NotEnough

__all__ = [
    "Bill",
    "Line",
    "NotEnough",
    "SiloHouse",
    "Span",
    "first_day",
    "quarter",
    "week",
    "week_of",
    "weeks_in",
]
