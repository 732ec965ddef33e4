"""A kitchen, and how it cooks."""

from supper_line.places import Place
from supper_line.recipes import steps
from supper_line.requests import Leave, Pause, Take


class Kitchen:
    """Places to work at.

    Args:
        places: name to room.
    """

    def __init__(self, places):
        self._places = {name: Place(name, room) for name, room in places.items()}

    def cook(self, ticket, turns):
        """The job of a ticket: step by step, and at the end it is served."""
        for name, minutes in steps(ticket.dish):
            place = self._places.get(name)
            if place is None:
                yield Pause(minutes)
                continue
            yield Take(place)
            ticket.began(name, turns.now)
            yield Pause(minutes)
            yield Leave(place)
        ticket.served = turns.now
