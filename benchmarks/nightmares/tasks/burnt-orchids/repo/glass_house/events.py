"""What may happen."""

from collections import namedtuple

Wanted = namedtuple("Wanted", "zone degrees by")
"""Somebody wants a zone to have so many degrees."""
Hour = namedtuple("Hour", "hour")
"""The clock strikes."""
Window = namedtuple("Window", "zone open")
"""A window is opened or closed."""
