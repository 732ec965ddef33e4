"""The feed, line by line."""

from gauge_watch.readings import Reading, parse


class Feed:
    """Readings as they come in; those that come late are left out.

    Args:
        lines: of text; empty ones and comments (``#``) are skipped.
    """

    def __init__(self, lines):
        self._lines = lines
        self._latest = {}
        self.late = 0

    def __iter__(self):
        for line in self._lines:
            line = line.partition("#")[0].strip()
            if line:
                reading = self._take(*parse(line))
                if reading is not None:
                    yield reading

    def latest(self, station):
        """The last reading of a station so far; None before there is one."""
        return self._latest.get(station)

    def _take(self, minute, station, level):
        known = self._latest.get(station)
        if known is None:
            known = self._latest[station] = Reading(station, minute, level)
        elif minute <= known.minute:
            self.late += 1
            return None
        else:
            known.set(minute, level)
        return known
