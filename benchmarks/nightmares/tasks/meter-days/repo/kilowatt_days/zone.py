"""Local clocks: an offset from UTC that changes at known instants."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, datetime, time, timedelta, timezone
from typing import Sequence


class Zone:
    """A clock with a list of changes.

    ``offset`` holds until the first change; each change is the instant (UTC) from which on another offset holds.
    """

    def __init__(
        self, name: str, offset: timedelta, changes: Sequence[tuple[datetime, timedelta]] = ()
    ) -> None:
        instants = [instant for instant, _ in changes]
        if instants != sorted(instants):
            raise ValueError(f"{name}: the changes are not in order")
        self.name = name
        self._instants = instants
        self._offsets = [offset, *(changed for _, changed in changes)]

    def offset_at(self, instant: datetime) -> timedelta:
        """How far local time is ahead of UTC at an instant."""
        return self._offsets[bisect_right(self._instants, instant)]

    def local(self, instant: datetime) -> datetime:
        """What the local clock shows (without tzinfo)."""
        return (instant + self.offset_at(instant)).replace(tzinfo=None)

    def start_of_day(self, day: date) -> datetime:
        """The instant at which a local day begins.

        That is midnight, or, where the clock skips midnight, the moment of the change.
        """
        midnight = datetime.combine(day, time.min, tzinfo=timezone.utc)
        candidates = [midnight - offset for offset in self._offsets]
        fitting = [instant for instant in candidates if midnight - self.offset_at(instant) == instant]
        if fitting:
            return min(fitting)
        skipped = [instant for instant in self._instants if self.local(instant).date() == day]
        return skipped[0]

    def __repr__(self) -> str:
        return f"Zone({self.name!r})"
