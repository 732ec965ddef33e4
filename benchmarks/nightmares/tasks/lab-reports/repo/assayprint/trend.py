"""How a result developed over several visits."""

from __future__ import annotations

from dataclasses import dataclass, field

from .numerals import format_number, round_half_even


@dataclass
class Trend:
    """The values of one analyte in the order of the visits."""

    name: str
    values: list[float] = field(default_factory=list)

    def add(self, value: float) -> None:
        self.values.append(value)

    @property
    def direction(self) -> str:
        """``up``, ``down`` or ``steady``, judged by the last two values as they are printed."""
        if len(self.values) < 2:
            return "steady"
        before, now = (round_half_even(value) for value in self.values[-2:])
        return "up" if now > before else "down" if now < before else "steady"

    def render(self) -> str:
        """All values in one line, with the direction."""
        return f"{self.name}: {' '.join(map(format_number, self.values))} ({self.direction})"
