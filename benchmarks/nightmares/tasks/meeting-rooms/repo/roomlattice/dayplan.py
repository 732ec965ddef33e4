"""One room on one day, as a bitmap."""

from __future__ import annotations

from typing import Iterator

from .slots import SLOTS, Span


class DayPlan:
    """Which slots of a day are taken. One integer, so that a year of a hundred rooms is nothing."""

    def __init__(self) -> None:
        self._taken = 0

    def fits(self, span: Span) -> bool:
        """Whether a span is free."""
        return not self._taken & span.mask

    def take(self, span: Span) -> None:
        self._taken |= span.mask

    def give_back(self, span: Span) -> None:
        self._taken &= ~span.mask

    @property
    def taken_slots(self) -> int:
        """How many slots are taken."""
        return bin(self._taken).count("1")

    def gaps(self) -> Iterator[Span]:
        """The free spans, as long as possible, in the order of the day."""
        start = None
        for slot in range(SLOTS + 1):
            free = slot < SLOTS and not self._taken >> slot & 1
            if free and start is None:
                start = slot
            elif not free and start is not None:
                yield Span(start, slot - start)
                start = None
