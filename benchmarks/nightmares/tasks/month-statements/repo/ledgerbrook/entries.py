"""One entry of an account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Entry:
    """Money that came in (positive) or went out (negative)."""

    number: int
    day: date
    amount: int
    text: str = ""

    def __post_init__(self) -> None:
        if not self.amount:
            raise ValueError(f"entry {self.number} has no amount")


def format_cents(amount: int) -> str:
    """An amount in cents as people write it: ``-1234`` is ``-12.34``."""
    sign = "-" if amount < 0 else ""
    whole, cents = divmod(abs(amount), 100)
    return f"{sign}{whole:,}.{cents:02d}"
