"""Times of a day as slots of a quarter of an hour."""

from __future__ import annotations

from dataclasses import dataclass

OPENS, CLOSES = 7 * 60, 21 * 60
MINUTES = 15
SLOTS = (CLOSES - OPENS) // MINUTES


class BadTime(ValueError):
    """A time is not a quarter of an hour within the opening hours."""


def slot_of(time: str) -> int:
    """The slot that begins at a time such as ``09:15``; the closing time gives the slot after the last."""
    hours, colon, minutes = time.partition(":")
    if not colon or not hours.isdigit() or not minutes.isdigit():
        raise BadTime(f"{time!r} is not a time")
    offset = int(hours) * 60 + int(minutes) - OPENS
    if offset % MINUTES or int(minutes) > 59:
        raise BadTime(f"{time} is not a quarter of an hour")
    if not 0 <= offset <= CLOSES - OPENS:
        raise BadTime(f"{time} is outside of the opening hours")
    return offset // MINUTES


def time_of(slot: int) -> str:
    """The time at which a slot begins."""
    hours, minutes = divmod(OPENS + slot * MINUTES, 60)
    return f"{hours:02d}:{minutes:02d}"


@dataclass(frozen=True, order=True)
class Span:
    """Some slots in a row."""

    start: int
    count: int

    @classmethod
    def between(cls, begin: str, end: str) -> Span:
        """From one time to another.

        Raises:
            BadTime: a time that cannot be booked, or an end that is not after the beginning.
        """
        start, stop = slot_of(begin), slot_of(end)
        if stop <= start:
            raise BadTime(f"{end} is not after {begin}")
        return cls(start, stop - start)

    @property
    def stop(self) -> int:
        return self.start + self.count

    @property
    def minutes(self) -> int:
        return self.count * MINUTES

    @property
    def mask(self) -> int:
        """The span as bits: bit 0 is the first slot of the day."""
        return 1 << self.count - 1 << self.start

    def __str__(self) -> str:
        return f"{time_of(self.start)}-{time_of(self.stop)}"
