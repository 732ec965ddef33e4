"""Where the shows book, change and return."""

from prop_store.journal import Journal
from prop_store.kits import Packer
from prop_store.report import table
from prop_store.shelves import Shortage
from prop_store.slips import total


class Desk:
    """Bookings of the shows.

    Args:
        shelves: what is there.
        kits: what may be asked for by name.
    """

    def __init__(self, shelves, kits=()):
        self._shelves = shelves
        self._journal = Journal()
        self._packer = Packer(shelves, kits, self._journal)
        self._booked = {}
        self._refused = []

    def book(self, show, wishes):
        """Book all wishes or none.

        Args:
            show: who asks.
            wishes: names of kits, and pairs of an item and a count.

        Returns True, or False where something is short; why is in the report then.
        """
        try:
            with self._journal.attempt():
                slips = [self._meet(wish) for wish in wishes]
        except Shortage as shortage:
            self._refused.append((show, str(shortage)))
            return False
        self._booked.setdefault(show, []).extend(slips)
        return True

    def rebook(self, show, wishes):
        """Give back all that a show has and book anew; if that fails, it keeps what it has.

        What it gives back may be booked again at once.
        """
        before = self._booked.get(show, [])
        try:
            with self._journal.attempt():
                for item, count in total(before).items():
                    self._shelves.put(item, count)
                    self._journal.note(self._shelves.take, item, count)
                slips = [self._meet(wish) for wish in wishes]
        except Shortage as shortage:
            self._refused.append((show, str(shortage)))
            return False
        self._booked[show] = slips
        return True

    def give_back(self, show):
        """A show is over."""
        for item, count in total(self._booked.pop(show, [])).items():
            self._shelves.put(item, count)

    def slips(self, show):
        """What a show has, as text."""
        return [str(slip) for slip in self._booked.get(show, [])]

    def report(self):
        """The state of the store, as text."""
        return table(self._shelves, self._booked, self._refused)

    def _meet(self, wish):
        if isinstance(wish, str):
            if not self._packer.knows(wish):
                raise KeyError(wish)
            return self._packer.kit(wish)
        item, count = wish
        return self._packer.single(item, count)
