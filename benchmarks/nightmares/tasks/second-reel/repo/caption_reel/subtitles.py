"""Subtitles as players read them."""


def stamp(milliseconds):
    """``00:00:01,480``"""
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return "%02d:%02d:%02d,%03d" % (hours, minutes, seconds, rest)


def write(cues, first=1):
    """The text of a file."""
    blocks = []
    for number, cue in enumerate(cues, first):
        head = "%d\n%s --> %s" % (number, stamp(cue.begin), stamp(cue.end))
        blocks.append("\n".join([head, *cue.lines()]))
    return "\n\n".join(blocks)
