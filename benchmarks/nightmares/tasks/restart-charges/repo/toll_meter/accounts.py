"""What customers owe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional


class LimitExceeded(Exception):
    """An event would cost more than the customer allows."""


@dataclass
class Account:
    customer: str
    plan: str = "basic"
    limit: Optional[int] = None
    events: int = 0
    spent: dict[str, int] = field(default_factory=dict)
    """Micro-cents by kind."""

    @property
    def total(self) -> int:
        return sum(self.spent.values())

    def already(self, kind: str) -> int:
        return self.spent.get(kind, 0)

    def within_limit(self, cost: int) -> int:
        """Returns the cost if the customer can afford it.

        Raises:
            LimitExceeded: he cannot.
        """
        if self.limit is not None and self.total + cost > self.limit:
            raise LimitExceeded(f"{self.customer}: {self.total} + {cost} > {self.limit}")
        return cost
