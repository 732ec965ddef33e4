"""What a show has got."""


class Slip:
    """One line of a booking.

    Args:
        title: what was asked for, or what came instead.
        content: item to how many of it.
    """

    def __init__(self, title, content):
        self.title = title
        self.content = dict(content)

    def __str__(self):
        parts = ["%d x %s" % (count, item) for item, count in sorted(self.content.items())]
        return "%s (%s)" % (self.title, ", ".join(parts))


def total(slips):
    """Item to how many of it are on some slips."""
    counts = {}
    for slip in slips:
        for item, count in slip.content.items():
            counts[item] = counts.get(item, 0) + count
    return counts
