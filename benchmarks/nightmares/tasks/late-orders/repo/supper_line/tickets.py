"""What was ordered, and what became of it."""

from supper_line.recipes import shortest


class Ticket:
    """A dish for a table."""

    def __init__(self, table, dish, ordered):
        self.table = table
        self.dish = dish
        self.ordered = ordered
        self.served = None
        self._begun = []

    def began(self, place, minute):
        """Work at a place begins."""
        self._begun.append((place, minute))

    @property
    def waited(self):
        """Minutes that it took longer than it would have in an empty kitchen."""
        return self.served - self.ordered - shortest(self.dish)

    def __str__(self):
        way = ", ".join("%s %d" % step for step in self._begun) or "nothing to wait for"
        return "table %d: %s at %d (%s), waited %d" % (self.table, self.dish, self.served, way, self.waited)
