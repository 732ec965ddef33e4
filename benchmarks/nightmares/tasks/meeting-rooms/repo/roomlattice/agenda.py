"""What is on the door of a room, and in the monthly figures."""

from __future__ import annotations

from datetime import date
from typing import Iterable

from .desk import Desk
from .slots import SLOTS


def agenda(desk: Desk, room: str, day: date) -> str:
    """The bookings of a room on a day as text."""
    lines = [f"{room}, {day:%d.%m.%Y}"]
    lines += [f"  {booking}" for booking in desk.bookings(room, day)]
    if len(lines) == 1:
        lines.append("  free all day")
    return "\n".join(lines)


def utilisation(desk: Desk, days: Iterable[date]) -> dict[str, float]:
    """The share of the opening hours in which each room is taken, 0 to 1."""
    days = list(days)
    if not days:
        return {}
    return {
        name: sum(desk.plan(name, day).taken_slots for day in days) / (SLOTS * len(days))
        for name in desk.rooms
    }
