"""The heaters."""

from glass_house.events import Wanted, Window


class Heater:
    """Heats a zone to what was wanted last. While a window is open, it is off.

    Args:
        bus: on which it listens.
        zone: that it heats.
        degrees: to begin with.
    """

    def __init__(self, bus, zone, degrees):
        self.zone = zone
        self.degrees = degrees
        self.on = True
        bus.listen(Wanted, self._set)
        bus.listen(Window, self._switch)

    def _set(self, wanted):
        if wanted.zone == self.zone:
            self.degrees = wanted.degrees

    def _switch(self, window):
        if window.zone == self.zone:
            self.on = not window.open

    def __str__(self):
        return "%s %s" % (self.zone, "%g" % self.degrees if self.on else "off")
