"""The silo house: who keeps what in it."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Dict, Mapping

from .bills import Bill, make_bill
from .calendar import quarter, week, week_of
from .spans import Span
from .stock import Stock


class SiloHouse:
    """The stocks of all farmers, and the rates: cents for a tonne and day, for each grain."""

    def __init__(self, rates: Mapping[str, Fraction]) -> None:
        self._rates = dict(rates)
        self._stocks: Dict[str, Dict[str, Stock]] = {}

    def deliver(self, farmer: str, grain: str, kilograms: int, day: date) -> None:
        """Grain comes in."""
        self._stock(farmer, grain).move(day, _positive(kilograms))

    def fetch(self, farmer: str, grain: str, kilograms: int, day: date) -> None:
        """Grain goes out.

        Raises:
            NotEnough: the farmer does not have so much.
        """
        self._stock(farmer, grain).move(day, -_positive(kilograms))

    def level(self, farmer: str, grain: str, day: date) -> int:
        """How many kilograms there are at the end of a day."""
        return self._stock(farmer, grain).on(day)

    def bill_for_week(self, farmer: str, year: int, number: int) -> Bill:
        """The rent for a fiscal week."""
        return self._bill(farmer, week(year, number))

    def bill_for_quarter(self, farmer: str, year: int, number: int) -> Bill:
        """The rent for a fiscal quarter."""
        return self._bill(farmer, quarter(year, number))

    def statement(self, farmer: str, day: date) -> Bill:
        """The rent so far for the week of a day, that day included."""
        return self._bill(farmer, Span(week(*week_of(day)).first, day))

    def _bill(self, farmer: str, period: Span) -> Bill:
        return make_bill(farmer, self._stocks.get(farmer, {}), self._rates, period)

    def _stock(self, farmer: str, grain: str) -> Stock:
        if grain not in self._rates:
            raise ValueError(f"no rate for {grain!r}")
        return self._stocks.setdefault(farmer, {}).setdefault(grain, Stock())


def _positive(kilograms: int) -> int:
    if kilograms <= 0:
        raise ValueError("a movement is of at least 1 kg")
    return kilograms
