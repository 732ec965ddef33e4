"""The fiscal calendar: years that begin on the first Monday of July, weeks and quarters in them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Tuple

from .spans import Span

WEEKS_OF_A_QUARTER = 13


def first_day(year: int) -> date:
    """The first Monday of July."""
    july = date(year, 7, 1)
    return july + timedelta(days=-july.weekday() % 7)


def weeks_in(year: int) -> int:
    """52 or 53."""
    return (first_day(year + 1) - first_day(year)).days // 7


def week(year: int, number: int) -> Span:
    """The days of a fiscal week, counted from 1."""
    if not 1 <= number <= weeks_in(year):
        raise ValueError(f"fiscal year {year} has no week {number}")
    return Span.of_length(first_day(year) + timedelta(weeks=number - 1), 7)


def quarter(year: int, number: int) -> Span:
    """The days of a fiscal quarter, counted from 1. The fourth takes what is left of the year."""
    if not 1 <= number <= 4:
        raise ValueError(f"a year has no quarter {number}")
    final = weeks_in(year) if number == 4 else number * WEEKS_OF_A_QUARTER
    return Span(week(year, (number - 1) * WEEKS_OF_A_QUARTER + 1).first, week(year, final).last)


def week_of(day: date) -> Tuple[int, int]:
    """The fiscal year and week in which a day lies."""
    year = day.year if day >= first_day(day.year) else day.year - 1
    return year, (day - first_day(year)).days // 7 + 1
