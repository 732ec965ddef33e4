"""Arithmetic with amounts of money."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, getcontext

CENT = Decimal("0.01")
HUNDRED = Decimal(100)


def configure() -> None:
    """Make decimal arithmetic follow the house rules."""
    context = getcontext()
    context.rounding = ROUND_HALF_UP
    context.traps[InvalidOperation] = True


def parse_amount(text: str) -> Decimal:
    """Read an amount such as ``1,250.00``; fractions of a cent are allowed in unit prices."""
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise ValueError(f"{text!r} is not an amount") from None


def to_cents(amount: Decimal) -> Decimal:
    """The amount in whole cents."""
    return amount.quantize(CENT)


def percentage(amount: Decimal, percent: Decimal) -> Decimal:
    """So many percent of an amount, in whole cents."""
    return to_cents(amount * percent / HUNDRED)


def instalments(amount: Decimal, count: int) -> list[Decimal]:
    """Split an amount into parts that are equal up to the last one, which takes the difference."""
    if count < 1:
        raise ValueError("there must be at least one instalment")
    part = to_cents(amount / count)
    return [part] * (count - 1) + [amount - part * (count - 1)]


def show(amount: Decimal) -> str:
    return f"{amount:,.2f}"
