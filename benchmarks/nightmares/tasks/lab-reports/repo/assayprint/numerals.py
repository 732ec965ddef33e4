"""Numbers as text."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from .settings import ACTIVE


def round_half_even(value: float, decimals: int = ACTIVE.decimals) -> Decimal:
    """Round the way that laboratories do: a half goes to the even neighbour."""
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)


def format_number(value: float | None, decimals: int | None = None) -> str:
    """A number with the decimal and group marks of the settings.

    Args:
        value: None is printed as missing.
        decimals: digits after the decimal mark; None takes the setting.
    """
    if value is None:
        return ACTIVE.missing
    rounded = round_half_even(value) if decimals is None else round_half_even(value, decimals)
    sign = "-" if rounded < 0 else ""
    whole, _, fraction = f"{abs(rounded):f}".partition(".")
    text = sign + _grouped(whole, ACTIVE.group_mark)
    return f"{text}{ACTIVE.decimal_mark}{fraction}" if fraction else text


def _grouped(digits: str, mark: str) -> str:
    if not mark:
        return digits
    head = len(digits) % 3
    groups = [digits[:head]] if head else []
    groups += [digits[start : start + 3] for start in range(head, len(digits), 3)]
    return mark.join(groups)
