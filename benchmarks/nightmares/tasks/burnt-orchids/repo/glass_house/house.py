"""The whole house."""

from glass_house.bus import Bus
from glass_house.events import Hour, Wanted, Window
from glass_house.guard import Guard
from glass_house.heaters import Heater
from glass_house.ledger import Ledger
from glass_house.night import Night


class House:
    """Zones with heaters, a guard, a night, and a ledger.

    Args:
        limits: zone to its least and most degrees.
    """

    def __init__(self, limits):
        for zone, (least, most) in limits.items():
            if least > most:
                raise ValueError("%s can be neither %g nor %g" % (zone, least, most))
        self._limits = dict(limits)
        self._bus = Bus()
        Guard(self._bus, self._limits)
        self._heaters = {zone: Heater(self._bus, zone, least) for zone, (least, _) in limits.items()}
        Night(self._bus, self._limits)
        self.ledger = Ledger(self._bus)

    def want(self, zone, degrees, by="gardener"):
        """Somebody wants a zone to have so many degrees. Raises ``KeyError``."""
        if zone not in self._limits:
            raise KeyError(zone)
        self._bus.tell(Wanted(zone, degrees, by))

    def window(self, zone, is_open):
        """A window of a zone is opened or closed."""
        self._bus.tell(Window(zone, is_open))

    def strike(self, hour):
        """It is so many o'clock."""
        self._bus.tell(Hour(hour))

    def degrees(self, zone):
        """What a zone's heater is set to."""
        return self._heaters[zone].degrees

    def state(self):
        """All heaters, as text."""
        return ", ".join(str(self._heaters[zone]) for zone in sorted(self._heaters))
