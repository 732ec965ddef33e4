"""No plant freezes or burns."""

from glass_house.events import Wanted


class Guard:
    """Corrects what is too little or too much.

    Args:
        bus: on which it does.
        limits: zone to its least and most degrees.
    """

    name = "guard"

    def __init__(self, bus, limits):
        self._bus = bus
        self._limits = limits
        bus.listen(Wanted, self._look)

    def _look(self, wanted):
        least, most = self._limits[wanted.zone]
        degrees = min(max(wanted.degrees, least), most)
        if degrees != wanted.degrees:
            self._bus.tell(Wanted(wanted.zone, degrees, self.name))
