"""The booking desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import Iterable

from .dayplan import DayPlan
from .slots import MINUTES, Span, time_of


class UnknownRoom(LookupError):
    """There is no room of that name."""


class Conflict(ValueError):
    """The room is taken at that time, at least for a part of it."""


@dataclass(frozen=True)
class Room:
    name: str
    seats: int


@dataclass(frozen=True)
class Booking:
    """Somebody has a room for some time."""

    number: int
    room: str
    day: date
    span: Span
    who: str

    def __str__(self) -> str:
        return f"{self.span} {self.who}"


class Desk:
    """Keeps the bookings of some rooms."""

    def __init__(self, rooms: Iterable[Room]) -> None:
        self.rooms = {room.name: room for room in rooms}
        self._numbers = count(1)
        self._bookings: dict[int, Booking] = {}
        self._plans: dict[tuple[str, date], DayPlan] = {}

    def plan(self, room: str, day: date) -> DayPlan:
        """The plan of a room on a day."""
        if room not in self.rooms:
            raise UnknownRoom(f"there is no room {room!r}")
        return self._plans.setdefault((room, day), DayPlan())

    def bookings(self, room: str, day: date) -> list[Booking]:
        """The bookings of a room on a day, by their beginning."""
        self.plan(room, day)
        found = [each for each in self._bookings.values() if (each.room, each.day) == (room, day)]
        return sorted(found, key=lambda each: each.span)

    def book(self, room: str, day: date, begin: str, end: str, who: str) -> Booking:
        """Book a room.

        Raises:
            UnknownRoom: no such room.
            BadTime: a time that cannot be booked.
            Conflict: the room is not free.
        """
        return self._enter(next(self._numbers), room, day, Span.between(begin, end), who)

    def cancel(self, number: int) -> Booking:
        """Take back a booking."""
        booking = self._bookings.pop(number)
        self.plan(booking.room, booking.day).give_back(booking.span)
        return booking

    def move(self, number: int, begin: str, end: str, room: str | None = None) -> Booking:
        """Take a booking to another time of its day, and perhaps another room.

        Raises:
            UnknownRoom, BadTime, Conflict: as for a new booking; the old one stays as it was.
        """
        old = self._bookings[number]
        span = Span.between(begin, end)
        self.plan(room or old.room, old.day)
        self.cancel(number)
        try:
            return self._enter(number, room or old.room, old.day, span, old.who)
        except Conflict:
            self._enter(number, old.room, old.day, old.span, old.who)
            raise

    def free(self, room: str, day: date) -> list[tuple[str, str]]:
        """The times at which a room is free: from, to."""
        gaps = self.plan(room, day).gaps()
        return [(time_of(gap.start), time_of(gap.stop)) for gap in gaps]

    def suggest(self, day: date, minutes: int, seats: int = 1) -> tuple[str, str] | None:
        """The earliest time at which a room with enough seats is free for so long.

        The smallest such room is taken; None if there is none that day.
        """
        slots = -(-minutes // MINUTES)
        found = [
            (gap.start, room.seats, room.name)
            for room in self.rooms.values()
            if room.seats >= seats
            for gap in self.plan(room.name, day).gaps()
            if gap.count >= slots
        ]
        if not found:
            return None
        start, _, name = min(found)
        return name, time_of(start)

    def _enter(self, number: int, room: str, day: date, span: Span, who: str) -> Booking:
        plan = self.plan(room, day)
        if not plan.fits(span):
            raise Conflict(f"{room} is not free on {day}, {span}")
        plan.take(span)
        booking = self._bookings[number] = Booking(number, room, day, span, who)
        return booking
