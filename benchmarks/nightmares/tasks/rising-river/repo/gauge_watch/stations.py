"""The gauges, and what is known about them."""


class Station:
    """A gauge.

    Args:
        name: as the feed calls it.
        zero: metres of its zero above that of the map.
        fast: metres in an hour from which on the river rises too fast.
        span: readings over which a rise is measured.
    """

    def __init__(self, name, zero=0.0, fast=0.25, span=3):
        if span < 2:
            raise ValueError("a rise takes two readings, not %d" % span)
        self.name = name
        self.zero = zero
        self.fast = fast
        self.span = span


def by_name(stations):
    """Name to station."""
    named = {}
    for station in stations:
        if station.name in named:
            raise ValueError("two stations are called %s" % station.name)
        named[station.name] = station
    return named
