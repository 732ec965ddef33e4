"""How much lay in a silo, for how many days of a period."""

from __future__ import annotations

from fractions import Fraction
from typing import Iterator, NamedTuple, Tuple

from .spans import DAY, Span
from .stock import Step, Stock

KILOGRAMS_OF_A_TONNE = 1000


class Usage(NamedTuple):
    """Tonne-days of a period, and on how many of its days there was anything at all."""

    tonne_days: Fraction
    days: int


def usage(stock: Stock, period: Span) -> Usage:
    """What a stock took up during a period."""
    kilogram_days = days = 0
    for level, span in _parts(stock, period):
        kilogram_days += level * span.days
        days += span.days if level else 0
    return Usage(Fraction(kilogram_days, KILOGRAMS_OF_A_TONNE), days)


def _parts(stock: Stock, period: Span) -> Iterator[Tuple[int, Span]]:
    """The levels of a period, each with the days on which it held."""
    for step in stock.steps(period.last):
        common = _span(step).overlap(period)
        if common is not None:
            yield step.level, common


def _span(step: Step) -> Span:
    return Span(step.start, step.until - DAY)
