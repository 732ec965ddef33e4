"""What is on the shelves."""


class Shortage(Exception):
    """There is not enough of something."""

    def __init__(self, item, wanted, left):
        super().__init__("%s: %d wanted, %d left" % (item, wanted, left))
        self.item = item
        self.wanted = wanted
        self.left = left


class Shelves:
    """Counts of items.

    Args:
        stock: item to how many there are.
    """

    def __init__(self, stock):
        self._stock = dict(stock)

    def left(self, item):
        """How many are there; 0 of what the store never had."""
        return self._stock.get(item, 0)

    def take(self, item, count):
        """Take some away. Raises ``Shortage``, and takes none then."""
        if count < 1:
            raise ValueError("take at least one %s, not %d" % (item, count))
        left = self.left(item)
        if count > left:
            raise Shortage(item, count, left)
        self._stock[item] = left - count

    def put(self, item, count):
        """Put some back."""
        self._stock[item] = self.left(item) + count

    def items(self):
        """Items and counts, by name."""
        return sorted(self._stock.items())
