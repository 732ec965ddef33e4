"""Sheets of readings, as tasters and instruments hand them in."""

from dataclasses import dataclass
from typing import List, Tuple

HIGHEST = 100.0


class BadReading(ValueError):
    """A line is no reading."""


@dataclass(frozen=True)
class Reading:
    """The points that a lot got for one thing."""

    lot: str
    aspect: str
    points: float


def parse_line(line: str) -> Reading:
    """Read one line of a sheet.

    Raises:
        BadReading: it has not three words, or its points are no number or out of range.
    """
    words = line.split()
    if len(words) != 3:
        raise BadReading("a reading is a lot, an aspect and points")
    lot, aspect, text = words
    try:
        points = float(text)
    except ValueError:
        raise BadReading(f"{text!r} is no number") from None
    if points < 0 or points > HIGHEST:
        raise BadReading(f"{text} is not from 0 to {HIGHEST:g}")
    return Reading(lot, aspect, points)


def parse_sheet(text: str) -> Tuple[List[Reading], List[str]]:
    """The readings of a sheet, and its lines that are none. Comments and empty lines are skipped."""
    readings, refused = [], []
    for line in text.splitlines():
        line = line.partition("#")[0].strip()
        if not line:
            continue
        try:
            readings.append(parse_line(line))
        except BadReading:
            refused.append(line)
    return readings, refused
