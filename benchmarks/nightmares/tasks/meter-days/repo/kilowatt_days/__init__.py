"""Statements from meter readings."""

from .calendar_days import Span, days_in, month
from .meter import Meter, Reading
from .statement import DayUse, Statement, make_statement
from .tariff import Tariff
from .zone import Zone

__all__ = [
    "DayUse",
    "Meter",
    "Reading",
    "Span",
    "Statement",
    "Tariff",
    "Zone",
    "days_in",
    "make_statement",
    "month",
]
