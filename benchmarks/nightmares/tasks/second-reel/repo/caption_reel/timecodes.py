"""Time codes as sheets write them."""

from functools import lru_cache


def split(code):
    """Hours, minutes, seconds, frames. Raises ``ValueError``."""
    parts = code.replace(";", ":").split(":")
    if len(parts) != 4:
        raise ValueError("not a time code: %r" % code)
    return tuple(int(part) for part in parts)


@lru_cache(maxsize=4096)
def position(clock, code):
    """Milliseconds since midnight. Sheets name most time codes twice, and long reels have thousands of them."""
    return round(clock.frames(*split(code)) * 1000 / clock.rate)


def since(clock, code):
    """Milliseconds since the clock began to run. Raises ``ValueError`` for what was before."""
    passed = position(clock, code) - position(clock, clock.origin)
    if passed < 0:
        raise ValueError("%s is before %s" % (code, clock.origin))
    return passed
