"""Bills: what usage costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Mapping, Tuple

from .spans import Span
from .stock import Stock
from .usage import usage


@dataclass(frozen=True)
class Line:
    """The rent for one grain."""

    grain: str
    days: int
    cents: int


@dataclass(frozen=True)
class Bill:
    """The rent of one farmer for one period."""

    farmer: str
    period: Span
    lines: Tuple[Line, ...]

    @property
    def cents(self) -> int:
        return sum(line.cents for line in self.lines)

    def text(self) -> str:
        """The bill as it is printed."""
        head = f"{self.farmer}, {self.period.first} to {self.period.last}"
        rows = [f"{line.grain:<10}{line.days:>3} days{_money(line.cents):>10}" for line in self.lines]
        return "\n".join([head, *rows, f"{'total':<18}{_money(self.cents):>10}"])


def make_bill(farmer: str, stocks: Mapping[str, Stock], rates: Mapping[str, Fraction], period: Span) -> Bill:
    """Bill all of a farmer's stocks for a period, at rates in cents for a tonne and day."""
    lines = []
    for grain in sorted(stocks):
        used = usage(stocks[grain], period)
        if used.days:
            lines.append(Line(grain, used.days, _round(used.tonne_days * rates[grain])))
    return Bill(farmer, period, tuple(lines))


def _round(cents: Fraction) -> int:
    return math.floor(cents + Fraction(1, 2))


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
