"""Prints laboratory results."""

from .columns import Column, NumberColumn, TextColumn
from .limits import Limits
from .numerals import format_number, round_half_even
from .report import Report
from .settings import Settings, configure, override, reset
from .trend import Trend

__all__ = [
    "Column",
    "Limits",
    "NumberColumn",
    "Report",
    "Settings",
    "TextColumn",
    "Trend",
    "configure",
    "format_number",
    "override",
    "reset",
    "round_half_even",
]
