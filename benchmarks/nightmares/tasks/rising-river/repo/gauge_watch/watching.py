"""From a feed to alarms."""

from gauge_watch.alarms import Guard
from gauge_watch.feed import Feed
from gauge_watch.stations import by_name


class Watch:
    """All stations of a feed.

    Args:
        lines: of the feed.
        stations: those that are looked after; readings of others are left out.
    """

    def __init__(self, lines, stations):
        self.feed = Feed(lines)
        self._guards = {name: Guard(station) for name, station in by_name(stations).items()}
        self._stations = by_name(stations)

    def alarms(self):
        """Alarms, as they come."""
        for reading in self.feed:
            guard = self._guards.get(reading.station)
            alarm = guard.look(reading) if guard else None
            if alarm is not None:
                yield alarm

    def board(self):
        """A line for each station: its last level, and the mean of its last readings."""
        lines = []
        for name, station in sorted(self._stations.items()):
            latest = self.feed.latest(name)
            if latest is None:
                lines.append("%-8s no reading yet" % name)
            else:
                mean = self._guards[name].mean
                lines.append("%-8s %6.2f m, mean %6.3f m" % (name, latest.above(station.zero), mean))
        return "\n".join(lines)


def watch(lines, stations):
    """The alarms of a feed, as a list."""
    return list(Watch(lines, stations).alarms())
