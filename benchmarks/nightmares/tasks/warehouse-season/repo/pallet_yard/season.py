"""Seasons scale what the zones keep."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Mapping

from .zones import Zone


@dataclass(frozen=True)
class Season:
    """A named set of factors by sku, e.g. twice the ice cream in summer."""

    name: str
    factors: Mapping[str, Fraction]

    def __post_init__(self) -> None:
        for sku, factor in self.factors.items():
            if factor <= 0:
                raise ValueError(f"season {self.name}: factor of {sku} must be positive")

    def apply(self, zone: Zone) -> None:
        """Scale the zone's targets; parts of a pallet count as a whole one."""
        for sku, factor in self.factors.items():
            if sku in zone.targets:
                zone.targets[sku] = _round_up(zone.targets[sku] * factor)


def _round_up(pallets: Fraction) -> int:
    return -(-pallets.numerator // pallets.denominator)
