"""The journal: entries in the order of their days, kept in segments."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Iterator

from .entries import Entry
from .windows import Window


class OutOfOrder(ValueError):
    """An entry is older than the last one of the journal."""


@dataclass
class _Segment:
    """A run of entries, with the account's balance before the first of them."""

    opening: int
    entries: list[Entry] = field(default_factory=list)

    @property
    def first_day(self) -> date:
        return self.entries[0].day


class Journal:
    """All entries of one account.

    Looking up a day costs a binary search over the segments and a walk through one or two of them.
    """

    def __init__(self, segment_size: int = 64) -> None:
        if segment_size < 1:
            raise ValueError("a segment holds at least one entry")
        self._size = segment_size
        self._segments: list[_Segment] = []
        self._balance = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Entry]:
        for segment in self._segments:
            yield from segment.entries

    @property
    def balance(self) -> int:
        """What all entries add up to."""
        return self._balance

    @property
    def last_day(self) -> date | None:
        return self._segments[-1].entries[-1].day if self._segments else None

    def append(self, day: date, amount: int, text: str = "") -> Entry:
        """Add an entry at the end.

        Raises:
            OutOfOrder: the day lies before the last entry's day.
        """
        last = self.last_day
        if last is not None and day < last:
            raise OutOfOrder(f"{day} is before the last entry's day, {last}")
        entry = Entry(self._count + 1, day, amount, text)
        if not self._segments or len(self._segments[-1].entries) == self._size:
            self._segments.append(_Segment(self._balance))
        self._segments[-1].entries.append(entry)
        self._balance += amount
        self._count += 1
        return entry

    def entries(self, window: Window) -> Iterator[Entry]:
        """The entries of a window, in the journal's order."""
        for segment in self._segments[self._locate(window.start) :]:
            if segment.first_day >= window.stop:
                return
            for entry in segment.entries:
                if entry.day in window:
                    yield entry

    def balance_before(self, day: date) -> int:
        """What the entries of all days before this one add up to."""
        if not self._segments:
            return 0
        segment = self._segments[self._locate(day)]
        return segment.opening + sum(entry.amount for entry in segment.entries if entry.day < day)

    def _locate(self, day: date) -> int:
        """The index of the segment in which to start looking for a day."""
        low, high = 0, len(self._segments)
        while low < high:
            middle = (low + high) // 2
            if self._segments[middle].first_day <= day:
                low = middle + 1
            else:
                high = middle
        return max(low - 1, 0)
