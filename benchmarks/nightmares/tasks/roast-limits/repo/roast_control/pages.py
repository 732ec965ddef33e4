"""What is printed."""

from roast_control.limits import Limits


def week_page(name, moments, width):
    """A machine's week on a line."""
    if not moments.count:
        return "%s: nothing roasted" % name
    limits = Limits(moments, width)
    return "%s: %d bags, mean %.2f g, deviation %.3f g, limits %s" % (
        name,
        moments.count,
        moments.mean,
        moments.deviation,
        limits,
    )


def flag_page(name, day, flagged):
    """The bags of a day that are put aside."""
    bags = ", ".join("%.1f" % grams for grams in flagged)
    return "%s, day %d: %s" % (name, day, bags or "all well")
