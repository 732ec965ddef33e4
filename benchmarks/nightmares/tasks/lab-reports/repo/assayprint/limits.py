"""Reference ranges of results."""

from __future__ import annotations

from dataclasses import dataclass

from . import settings
from .numerals import format_number


@dataclass(frozen=True)
class Limits:
    """The range in which a result is unremarkable; a side that is None is open."""

    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"the lower limit {self.low} is above the upper limit {self.high}")

    def flag(self, value: float | None) -> str:
        """The mark beside a value: the flag for too low or too high, or nothing."""
        too_low, too_high = settings.ACTIVE.flags
        if value is None:
            return ""
        if self.low is not None and value < self.low:
            return too_low
        if self.high is not None and value > self.high:
            return too_high
        return ""

    def describe(self) -> str:
        """The range as text."""
        if self.low is None and self.high is None:
            return ""
        if self.low is None:
            return f"< {format_number(self.high)}"
        if self.high is None:
            return f"> {format_number(self.low)}"
        return f"{format_number(self.low)} - {format_number(self.high)}"
