"""Invoices and what they add up to."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from .money import HUNDRED, instalments, percentage, to_cents
from .rates import rate_of


@dataclass(frozen=True)
class Line:
    """One position. A credit note has negative quantities."""

    text: str
    quantity: Decimal
    price: Decimal
    rate: str = "standard"
    discount: Decimal = Decimal(0)
    """Percent."""

    def __post_init__(self) -> None:
        if not 0 <= self.discount <= 100:
            raise ValueError(f"{self.text}: a discount of {self.discount} % is impossible")

    @property
    def net(self) -> Decimal:
        return to_cents(self.quantity * self.price * (HUNDRED - self.discount) / HUNDRED)


@dataclass(frozen=True)
class TaxGroup:
    """All lines of one tax rate."""

    percent: Decimal
    net: Decimal
    tax: Decimal


@dataclass(frozen=True)
class Invoice:
    number: str
    customer: str
    lines: tuple[Line, ...]
    parts: int = 1
    """Number of instalments in which it is paid."""

    @cached_property
    def groups(self) -> tuple[TaxGroup, ...]:
        """The tax groups, highest rate first."""
        nets: dict[Decimal, Decimal] = {}
        for line in self.lines:
            percent = rate_of(line.rate)
            nets[percent] = nets.get(percent, Decimal(0)) + line.net
        return tuple(
            TaxGroup(percent, net, percentage(net, percent)) for percent, net in sorted(nets.items(), reverse=True)
        )

    @property
    def net(self) -> Decimal:
        return sum((group.net for group in self.groups), Decimal(0))

    @property
    def tax(self) -> Decimal:
        return sum((group.tax for group in self.groups), Decimal(0))

    @property
    def total(self) -> Decimal:
        return self.net + self.tax

    def payments(self) -> list[Decimal]:
        return instalments(self.total, self.parts)
