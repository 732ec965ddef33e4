"""At night it may be cooler."""

from glass_house.events import Hour, Wanted


class Night:
    """Wants all zones cooler from an hour on, and as before from another one on.

    Args:
        bus: on which it does.
        zones: that it cares for.
        begin: the hour from which on it is night.
        end: the hour at which it is over.
        less: degrees.
    """

    name = "night"

    def __init__(self, bus, zones, begin=22, end=6, less=6):
        self._bus = bus
        self._begin, self._end, self._less = begin, end, less
        self._day = dict.fromkeys(zones)
        bus.listen(Wanted, self._remember)
        bus.listen(Hour, self._strike)

    def _remember(self, wanted):
        if wanted.by != self.name:
            self._day[wanted.zone] = wanted.degrees

    def _strike(self, hour):
        known = {zone: degrees for zone, degrees in self._day.items() if degrees is not None}
        for zone, degrees in known.items():
            if hour.hour == self._begin:
                self._bus.tell(Wanted(zone, degrees - self._less, self.name))
            elif hour.hour == self._end:
                self._bus.tell(Wanted(zone, degrees, self.name))
