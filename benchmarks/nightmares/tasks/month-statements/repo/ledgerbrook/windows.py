"""Windows of days: half-open, from the first day up to but not including the stop day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Iterator


@dataclass(frozen=True)
class Window:
    """The days from ``start`` up to, not including, ``stop``."""

    start: date
    stop: date

    def __post_init__(self) -> None:
        if self.stop <= self.start:
            raise ValueError(f"a window must have at least one day: {self.start} to {self.stop}")

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.stop

    @property
    def days(self) -> int:
        return (self.stop - self.start).days

    @property
    def last(self) -> date:
        """The last day that is part of the window."""
        return self.stop - timedelta(days=1)


def day(which: date) -> Window:
    """A single day."""
    return Window(which, which + timedelta(days=1))


def week(which: date) -> Window:
    """The week, Monday to Sunday, that a day lies in."""
    monday = which - timedelta(days=which.weekday())
    return Window(monday, monday + timedelta(days=7))


def month(year: int, number: int) -> Window:
    """A calendar month."""
    first = date(year, number, 1)
    following = date(year + number // 12, number % 12 + 1, 1)
    return Window(first, following)


def months(start: date, stop: date) -> Iterator[Window]:
    """The calendar months that have a day in the half-open range, in order."""
    current = month(start.year, start.month)
    while current.start < stop:
        yield current
        current = month(current.stop.year, current.stop.month)
