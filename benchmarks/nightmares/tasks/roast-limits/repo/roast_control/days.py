"""What a machine did, by days."""

from roast_control.moments import Moments


class Days:
    """The days of one machine."""

    def __init__(self):
        self._days = {}

    def on(self, day):
        """The moments of a day."""
        return self._days.setdefault(day, Moments())

    def between(self, first, last):
        """The moments of all days from the first to the last, both included."""
        return together(self._days[day] for day in sorted(self._days) if first <= day <= last)


def together(parts):
    """One for all."""
    whole = Moments()
    for part in parts:
        whole.join(part)
    return whole
