"""What customers do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """Some units of one kind, used by one customer."""

    customer: str
    kind: str
    units: int = 1

    def __post_init__(self) -> None:
        if self.units < 1:
            raise ValueError("an event needs at least one unit")

    @classmethod
    def parse(cls, line: str) -> Event:
        """Read a line of the access log: ``customer kind units``."""
        customer, kind, units = line.split()
        return cls(customer, kind, int(units))
