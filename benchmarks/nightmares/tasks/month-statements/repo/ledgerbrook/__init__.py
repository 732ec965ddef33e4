"""An append-only account journal, and statements over any window of it."""

from .entries import Entry, format_cents
from .export import paginate, render
from .journal import Journal, OutOfOrder
from .statements import Statement, monthly, statement
from .windows import Window, day, month, months, week

__all__ = [
    "Entry",
    "Journal",
    "OutOfOrder",
    "Statement",
    "Window",
    "day",
    "format_cents",
    "month",
    "monthly",
    "months",
    "paginate",
    "render",
    "statement",
    "week",
]
