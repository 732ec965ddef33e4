"""Tax rates, in percent."""

from decimal import Decimal

RATES = {
    "standard": Decimal("19"),
    "reduced": Decimal("7"),
    "farm": Decimal("5.5"),
    "none": Decimal("0"),
}


class UnknownRate(KeyError):
    """There is no tax rate of that name."""


def rate_of(name: str) -> Decimal:
    try:
        return RATES[name]
    except KeyError:
        raise UnknownRate(name) from None
