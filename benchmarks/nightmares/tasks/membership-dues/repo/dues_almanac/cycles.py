"""How often members pay."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Cycle:
    """A number of months with its price."""

    name: str
    months: int
    price: int
    """Cents for the whole cycle."""

    def after(self, day: date) -> date:
        """The day on which the cycle that starts on ``day`` is over."""
        return add_months(day, self.months)


MONTHLY = Cycle("monthly", 1, 1_200)
QUARTERLY = Cycle("quarterly", 3, 3_300)
YEARLY = Cycle("yearly", 12, 12_000)


def cycle_named(name: str) -> Cycle:
    for cycle in (MONTHLY, QUARTERLY, YEARLY):
        if cycle.name == name:
            return cycle
    raise LookupError(f"there is no cycle {name!r}")


def add_months(day: date, months: int) -> date:
    """The same day some months later, or the last day of that month if it is too short."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
