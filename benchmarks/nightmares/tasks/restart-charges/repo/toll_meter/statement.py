"""What is printed on the bill."""

from __future__ import annotations

from .meter import Meter

MICRO = 1_000_000


def statement(meter: Meter) -> str:
    """One line a customer and kind."""
    rows = []
    for account in meter:
        rows.append(f"{account.customer} ({account.plan}): {account.events} events, {account.total / MICRO:.2f} ct")
        rows += [f"  {kind}: {spent / MICRO:.2f} ct" for kind, spent in sorted(account.spent.items())]
    return "\n".join(rows)
