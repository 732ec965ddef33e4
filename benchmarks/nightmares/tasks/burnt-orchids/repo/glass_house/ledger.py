"""What happened."""

from glass_house.events import Wanted


class Ledger:
    """Keeps what was wanted, in order."""

    def __init__(self, bus):
        self._rows = []
        bus.listen(Wanted, self._rows.append)

    def rows(self, zone):
        """The rows of a zone, as text."""
        return ["%g by %s" % (row.degrees, row.by) for row in self._rows if row.zone == zone]

    def last(self, zone):
        """The degrees that were wanted last; None if none ever were."""
        found = [row.degrees for row in self._rows if row.zone == zone]
        return found[-1] if found else None
