"""Runs of days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Optional

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """Days from the first to the last, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"{self.last} is before {self.first}")

    @classmethod
    def of_length(cls, first: date, days: int) -> Span:
        """So many days from the first on."""
        return cls(first, first + (days - 1) * DAY)

    @property
    def days(self) -> int:
        """How many days these are, at least 1."""
        return (self.last - self.first).days + 1

    @property
    def next_day(self) -> date:
        """The day after the last one."""
        return self.last + DAY

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def overlap(self, other: Span) -> Optional[Span]:
        """The days that both have, None if there are none."""
        first, last = max(self.first, other.first), min(self.last, other.last)
        return Span(first, last) if first <= last else None
