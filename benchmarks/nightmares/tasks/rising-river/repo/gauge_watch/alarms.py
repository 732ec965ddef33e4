"""When there is an alarm."""

from gauge_watch.windows import Window


class Alarm:
    """A river that rises too fast."""

    def __init__(self, station, minute, level, rise):
        self.station = station
        self.minute = minute
        self.level = level
        self.rise = rise

    def __str__(self):
        clock = "%02d:%02d" % divmod(self.minute, 60)
        return "%s %s at %.2f m, rising %.2f m/h" % (clock, self.station, self.level, self.rise)


class Guard:
    """Looks after one station. It raises an alarm once, and again only after the river has calmed down."""

    def __init__(self, station):
        self._station = station
        self._window = Window(station.span)
        self._alarmed = False

    @property
    def mean(self):
        """The mean level of its window, above the zero of the map."""
        return round(self._window.mean() + self._station.zero, 3)

    def look(self, reading):
        """An alarm, or None."""
        self._window.add(reading)
        rise = self._window.rise()
        if not self._window.full or rise < self._station.fast:
            self._alarmed = False
            return None
        if self._alarmed:
            return None
        self._alarmed = True
        level = reading.above(self._station.zero)
        return Alarm(self._station.name, reading.minute, level, round(rise, 2))
