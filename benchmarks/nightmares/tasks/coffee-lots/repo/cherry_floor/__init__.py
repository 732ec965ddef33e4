"""The auction floor of a coffee cooperative."""

from .floor import Floor
from .sheets import BadReading, Reading, parse_line

__all__ = ["BadReading", "Floor", "Reading", "parse_line"]
