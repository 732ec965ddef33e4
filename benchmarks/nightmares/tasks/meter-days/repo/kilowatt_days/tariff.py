"""Prices by the time of the local day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

from .meter import Reading
from .zone import Zone


@dataclass(frozen=True)
class Tariff:
    """A day rate and a night rate, in tenths of a cent per kWh."""

    day: int
    night: int
    night_from: time = time(22)
    night_to: time = time(6)

    def is_night(self, clock: time) -> bool:
        if self.night_from <= self.night_to:
            return self.night_from <= clock < self.night_to
        return clock >= self.night_from or clock < self.night_to

    def price(self, reading: Reading, zone: Zone) -> int:
        """Tenths of a cent, times 1000 (the price of a watt hour is too small for whole numbers)."""
        rate = self.night if self.is_night(zone.local(reading.start).time()) else self.day
        return reading.wh * rate
