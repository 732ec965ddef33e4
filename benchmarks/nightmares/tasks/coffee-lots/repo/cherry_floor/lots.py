"""Lots of coffee, and what is known of them."""

from dataclasses import dataclass, field
from statistics import mean
from typing import Dict, Optional

from .sheets import Reading


@dataclass
class Lot:
    """One lot, from its first reading until it has left the floor."""

    name: str
    points: Dict[str, float] = field(default_factory=dict)
    buyer: Optional[str] = None
    withdrawn: bool = False

    @property
    def open(self) -> bool:
        """Whether it can still be sold."""
        return self.buyer is None and not self.withdrawn

    @property
    def score(self) -> Optional[float]:
        """The mean of its readings, None if there are none."""
        return round(mean(self.points.values()), 1) if self.points else None

    def judge(self, reading: Reading) -> None:
        """Note a reading. A later one replaces an earlier one of the same aspect."""
        self.points[reading.aspect] = reading.points
