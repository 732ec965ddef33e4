"""What was charged."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Iterator


@dataclass(frozen=True)
class Charge:
    """One payment for one cycle."""

    member: str
    start: date
    end: date
    """Last day of the cycle that is paid."""
    cents: int

    @property
    def text(self) -> str:
        return f"{self.member}: {self.start:%d.%m.%Y} - {self.end:%d.%m.%Y} {self.cents / 100:.2f}"


class Ledger:
    """All charges in the order in which they were made."""

    def __init__(self) -> None:
        self._charges: list[Charge] = []

    def add(self, charge: Charge) -> None:
        self._charges.append(charge)

    def of(self, member: str) -> list[Charge]:
        return [charge for charge in self._charges if charge.member == member]

    def by_month(self) -> dict[str, int]:
        """Cents by month, ``2024-02`` to sum."""
        sums: dict[str, int] = defaultdict(int)
        for charge in self._charges:
            sums[f"{charge.start:%Y-%m}"] += charge.cents
        return dict(sums)

    def __iter__(self) -> Iterator[Charge]:
        return iter(self._charges)

    def __len__(self) -> int:
        return len(self._charges)
