"""Count, mean and spread of numbers that are not kept.

The sum of squared distances from the mean is carried along, not the sum of squares: a spread of milligrams would
drown in the squares of kilograms.
"""

from math import sqrt


class Moments:
    """What is known of some numbers."""

    def __init__(self):
        self.count = 0
        self.mean = 0.0
        self._squares = 0.0

    @classmethod
    def of(cls, numbers):
        """Of these numbers."""
        moments = cls()
        for number in numbers:
            moments.add(number)
        return moments

    def add(self, number):
        """One more."""
        self.count += 1
        delta = number - self.mean
        self.mean += delta / self.count
        self._squares += delta * (number - self.mean)

    def join(self, other):
        """All that another one knows of."""
        if not other.count:
            return
        if not self.count:
            self.count, self.mean, self._squares = other.count, other.mean, other._squares
            return
        delta = other.mean - self.mean
        self.count += other.count
        self.mean += delta * other.count / self.count
        share = self.count * other.count / (self.count + other.count)
        self._squares += other._squares + delta * delta * share

    @property
    def deviation(self):
        """The standard deviation; 0 of less than two numbers."""
        return sqrt(self._squares / (self.count - 1)) if self.count > 1 else 0.0
