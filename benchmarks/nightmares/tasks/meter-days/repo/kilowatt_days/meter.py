"""Readings, kept in the order of time."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Iterable

from .calendar_days import Span


@dataclass(frozen=True, order=True)
class Reading:
    """Watt hours used in one interval."""

    start: datetime
    wh: int = field(compare=False)

    def __post_init__(self) -> None:
        if self.start.utcoffset() != timedelta(0):
            raise ValueError("meters count in UTC")
        if self.wh < 0:
            raise ValueError("a meter does not run backwards")


class Meter:
    """One customer's meter."""

    def __init__(self, number: str, interval: timedelta = timedelta(hours=1)) -> None:
        self.number = number
        self.interval = interval
        self._readings: list[Reading] = []

    def record(self, reading: Reading) -> None:
        """Add a reading; they may arrive in any order, and more than once."""
        index = bisect_left(self._readings, reading)
        if index < len(self._readings) and self._readings[index].start == reading.start:
            self._readings[index] = reading
        else:
            insort(self._readings, reading)

    def record_series(self, start: datetime, values: Iterable[int]) -> None:
        for number, wh in enumerate(values):
            self.record(Reading(start.astimezone(timezone.utc) + number * self.interval, wh))

    def between(self, span: Span) -> list[Reading]:
        """The readings whose interval starts in the span."""
        low = bisect_left(self._readings, Reading(span.start, 0))
        high = bisect_left(self._readings, Reading(span.end, 0))
        return self._readings[low:high]
