"""Books meeting rooms in quarters of an hour."""

from .agenda import agenda, utilisation
from .desk import Booking, Conflict, Desk, Room, UnknownRoom
from .slots import BadTime, Span

__all__ = [
    "BadTime",
    "Booking",
    "Conflict",
    "Desk",
    "Room",
    "Span",
    "UnknownRoom",
    "agenda",
    "utilisation",
]
