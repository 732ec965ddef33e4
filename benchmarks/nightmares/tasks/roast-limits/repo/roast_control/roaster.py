"""The roaster and its machines."""

from roast_control.days import Days, together
from roast_control.limits import Limits
from roast_control.pages import flag_page, week_page


class Roaster:
    """All machines.

    Args:
        width: standard deviations from the mean at which a bag is put aside.
    """

    def __init__(self, width=3):
        if width <= 0:
            raise ValueError("limits need a width, not %r" % width)
        self._width = width
        self._machines = {}

    def weigh(self, machine, day, grams):
        """Bags that a machine has filled on a day."""
        days = self._machines.setdefault(machine, Days())
        for one in grams:
            days.on(day).add(one)

    def week(self, machine, first, last):
        """The page of some days of a machine. Raises ``KeyError``."""
        moments = self._machines[machine].between(first, last)
        return week_page(machine, moments, self._width)

    def flag(self, machine, day, grams, back=7):
        """The page of the bags that lie outside of what the machine did in the days before."""
        usual = self._machines[machine].between(day - back, day - 1)
        limits = Limits(usual, self._width)
        return flag_page(machine, day, [one for one in grams if not limits.holds(one)])

    def house(self, first, last):
        """The page of all machines together."""
        parts = [days.between(first, last) for _, days in sorted(self._machines.items())]
        return week_page("house", together(parts), self._width)
