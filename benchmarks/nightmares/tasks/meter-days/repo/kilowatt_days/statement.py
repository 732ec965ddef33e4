"""What the customer gets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from .calendar_days import Period, days_in
from .meter import Meter
from .tariff import Tariff


@dataclass(frozen=True)
class DayUse:
    """Use and price of one local day."""

    day: date
    wh: int
    price: int


@dataclass(frozen=True)
class Statement:
    meter: str
    days: tuple[DayUse, ...]
    wh: int
    """Use of the whole period."""
    price: int

    @property
    def highest(self) -> DayUse:
        """The day with the highest use, the first one of equals."""
        return max(self.days, key=lambda use: use.wh)

    def text(self) -> str:
        rows = [f"Meter {self.meter}"]
        rows += [f"{use.day:%d.%m.} {use.wh / 1000:9.3f} kWh" for use in self.days]
        rows.append(f"Sum    {self.wh / 1000:9.3f} kWh")
        return "\n".join(rows)


def make_statement(meter: Meter, period: Period, tariff: Tariff) -> Statement:
    """List the days of a period and add up."""
    zone = period.zone
    days = []
    for day, span in days_in(period):
        readings = meter.between(span)
        days.append(
            DayUse(
                day,
                sum(reading.wh for reading in readings),
                sum(tariff.price(reading, zone) for reading in readings),
            )
        )
    everything = meter.between(period.span)
    return Statement(
        meter.number,
        tuple(days),
        sum(reading.wh for reading in everything),
        sum(tariff.price(reading, zone) for reading in everything),
    )
