"""Simulated time, in minutes since a midnight."""

import heapq
import itertools
from typing import Callable

DAY = 24 * 60


class Timetable:
    """Runs callbacks when their minute has come."""

    def __init__(self, now: int = 0) -> None:
        self.now = now
        self._order = itertools.count()
        self._due: list[tuple[int, int, Callable[[], None]]] = []

    @property
    def minute_of_day(self) -> int:
        return self.now % DAY

    def after(self, minutes: int, callback: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.now + minutes, next(self._order), callback))

    def pass_time(self, minutes: int) -> None:
        end = self.now + minutes
        while self._due and self._due[0][0] <= end:
            self.now, _, callback = heapq.heappop(self._due)
            callback()
        self.now = end
