"""The last few readings of a gauge."""

from collections import deque


class Window:
    """Keeps the last ``span`` readings."""

    def __init__(self, span):
        self._readings = deque(maxlen=span)

    def add(self, reading):
        """The next one; the oldest leaves if there are too many."""
        self._readings.append(reading)

    @property
    def full(self):
        """Whether there are as many as it keeps."""
        return len(self._readings) == self._readings.maxlen

    def mean(self):
        """Of the levels, in metres."""
        return sum(reading.level for reading in self._readings) / len(self._readings)

    def rise(self):
        """Metres in an hour, from the oldest to the newest; 0 with less than two."""
        oldest, newest = self._readings[0], self._readings[-1]
        hours = (newest.minute - oldest.minute) / 60
        return (newest.level - oldest.level) / hours if hours else 0.0
