"""What is too far from the rest."""


class Limits:
    """The weights between which all is well.

    Args:
        moments: of what the machine usually does.
        width: how many standard deviations.
    """

    def __init__(self, moments, width):
        self.low = moments.mean - width * moments.deviation
        self.high = moments.mean + width * moments.deviation

    def holds(self, grams):
        """Whether a weight is within them."""
        return self.low <= grams <= self.high

    def __str__(self):
        return "%.2f to %.2f g" % (self.low, self.high)
