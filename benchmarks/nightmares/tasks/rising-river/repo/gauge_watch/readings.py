"""One reading of a gauge."""


class Reading:
    """What a gauge showed.

    Args:
        station: its name.
        minute: since midnight.
        level: metres above the gauge's zero.
    """

    def __init__(self, station, minute, level):
        self.station = station
        self.set(minute, level)

    def set(self, minute, level):
        """The gauge shows something else."""
        self.minute = minute
        self.level = level

    def above(self, zero):
        """Metres above the zero of the map, to the centimetre."""
        return round(self.level + zero, 2)


def parse(line):
    """Minute, station and level of a line. Raises ``ValueError``."""
    parts = line.split()
    if len(parts) != 3:
        raise ValueError("not a reading: %r" % line)
    minute, station, level = parts
    return int(minute), station, float(level)
