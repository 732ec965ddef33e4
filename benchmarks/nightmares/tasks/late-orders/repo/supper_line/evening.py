"""The orders of an evening."""

from supper_line.recipes import steps
from supper_line.tickets import Ticket
from supper_line.turns import Turns


class Evening:
    """Orders, and how they go.

    Args:
        kitchen: that cooks.
    """

    def __init__(self, kitchen):
        self._kitchen = kitchen
        self._turns = Turns()
        self.tickets = []

    def order(self, table, dish, at):
        """A table orders a dish. Raises ``KeyError`` for one that is not on the card."""
        steps(dish)
        ticket = Ticket(table, dish, at)
        self.tickets.append(ticket)
        self._turns.set(self._kitchen.cook(ticket, self._turns), at)
        return ticket

    def play(self):
        """The whole evening; a line for each ticket, in the order in which they are served."""
        self._turns.play()
        served = sorted(self.tickets, key=lambda ticket: ticket.served)
        return "\n".join(map(str, served))

    def longest(self):
        """The ticket that waited longest."""
        return max(self.tickets, key=lambda ticket: ticket.waited)
