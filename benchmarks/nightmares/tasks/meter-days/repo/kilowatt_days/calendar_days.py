"""Periods of local days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Iterator

from .zone import Zone

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """The time from ``start`` up to but not including ``end``, both in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError("a span cannot end before it starts")

    def __contains__(self, instant: object) -> bool:
        return isinstance(instant, datetime) and self.start <= instant < self.end

    @property
    def hours(self) -> float:
        return (self.end - self.start) / timedelta(hours=1)


@dataclass(frozen=True)
class Period:
    """Local days from ``first`` to ``last``, both included."""

    zone: Zone
    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError("a period needs at least one day")

    @property
    def span(self) -> Span:
        return Span(self.zone.start_of_day(self.first), self.zone.start_of_day(self.last + DAY))

    @property
    def length(self) -> int:
        return (self.last - self.first).days + 1


def month(zone: Zone, year: int, number: int) -> Period:
    """A calendar month, e.g. ``month(zone, 2023, 10)``."""
    first = date(year, number, 1)
    following = date(year + number // 12, number % 12 + 1, 1)
    return Period(zone, first, following - DAY)


def days_in(period: Period) -> Iterator[tuple[date, Span]]:
    """Yield each day of a period with its span."""
    start = period.span.start
    for number in range(period.length):
        end = start + DAY
        yield period.first + number * DAY, Span(start, end)
        start = end
