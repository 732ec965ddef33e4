"""The store on one page."""

from prop_store.slips import total


def table(shelves, booked, refused):
    """Of each item what is on the shelves and what is out, then who was refused, and why."""
    out = {}
    for slips in booked.values():
        for item, count in total(slips).items():
            out[item] = out.get(item, 0) + count
    lines = ["%-12s %4s %4s" % ("item", "here", "out")]
    for item, left in shelves.items():
        lines.append("%-12s %4d %4d" % (item, left, out.get(item, 0)))
    for show, why in refused:
        lines.append("refused: %s (%s)" % (show, why))
    return "\n".join(lines)
