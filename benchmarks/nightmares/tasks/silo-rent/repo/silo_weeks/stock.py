"""What lies in a silo: movements, and the levels that follow from them."""

from __future__ import annotations

from bisect import insort
from datetime import date
from typing import Iterator, List, NamedTuple, Tuple


class NotEnough(Exception):
    """More is to be fetched than there is."""


class Step(NamedTuple):
    """A level in kilograms that holds from one day until another, on which the next one begins."""

    level: int
    start: date
    until: date


class Stock:
    """One farmer's grain of one kind."""

    def __init__(self) -> None:
        self._movements: List[Tuple[date, int]] = []

    def move(self, day: date, kilograms: int) -> None:
        """Note what came in, or what went out (negative). Movements may be noted late.

        Raises:
            NotEnough: at some time there would be less than nothing.
        """
        later = list(self._movements)
        insort(later, (day, kilograms))
        levels = [level for _, level in _levels(later)]
        if min(levels) < 0:
            raise NotEnough(f"{-min(levels)} kg are missing")
        self._movements = later

    def on(self, day: date) -> int:
        """The level of a day."""
        return sum(kilograms for moved, kilograms in self._movements if moved <= day)

    def steps(self, until: date) -> Iterator[Step]:
        """The levels in the order of time. The last one holds until the given day."""
        levels = _levels(self._movements)
        ends = [day for day, _ in levels[1:]] + [until]
        for (start, level), end in zip(levels, ends):
            if start < end:
                yield Step(level, start, end)


def _levels(movements: List[Tuple[date, int]]) -> List[Tuple[date, int]]:
    """The level after all movements of each day."""
    levels = {}
    total = 0
    for day, kilograms in movements:
        total += kilograms
        levels[day] = total
    return list(levels.items())
