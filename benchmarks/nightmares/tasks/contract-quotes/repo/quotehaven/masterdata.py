"""Customers, rebates and contracts, as the back office exports them."""

from __future__ import annotations

import csv
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Iterator

from .errors import NoPrice, UnknownCustomer


@dataclass(frozen=True)
class Customer:
    """Somebody who buys, and the group that decides on the rebate."""

    id: str
    name: str
    group: str


@dataclass
class ContractLine:
    """The agreed prices of one article: one tier for each quantity from which a price holds."""

    tiers: list[tuple[int, int]] = field(default_factory=list)

    def add(self, start: int, price: int) -> None:
        self.tiers.append((start, price))
        self.tiers.sort()

    def at(self, quantity: int) -> int:
        """The price of the highest tier that a quantity reaches.

        Raises:
            NoPrice: the quantity does not reach the first tier.
        """
        reached = bisect_right([start for start, _ in self.tiers], quantity)
        if not reached:
            raise NoPrice(f"the contract starts at {self.tiers[0][0]} pieces")
        return self.tiers[reached - 1][1]


@dataclass
class MasterData:
    """Everything that the back office knows about prices of customers."""

    customers: dict[str, Customer] = field(default_factory=dict)
    rebates: dict[str, int] = field(default_factory=dict)
    contracts: dict[tuple[str, str], ContractLine] = field(default_factory=dict)

    def customer(self, number: str) -> Customer:
        try:
            return self.customers[number]
        except KeyError:
            raise UnknownCustomer(f"there is no customer {number!r}") from None


def load(customers: str, rebates: str, contracts: str) -> MasterData:
    """Read the three exports.

    Raises:
        ValueError: a column is missing, or a number is none.
    """
    data = MasterData()
    for number, name, group in _rows(customers, "id", "name", "group"):
        data.customers[number] = Customer(number, name, group)
    for group, percent in _rows(rebates, "group", "percent"):
        data.rebates[group.upper()] = int(percent)
    for number, sku, start, price in _rows(contracts, "customer", "sku", "from", "price"):
        line = data.contracts.setdefault((number, sku.upper()), ContractLine())
        line.add(int(start), int(price))
    return data


def _rows(text: str, *columns: str) -> Iterator[list[str]]:
    reader = csv.DictReader(text.strip().splitlines(), delimiter=";")
    names = {name.strip().lower(): name for name in reader.fieldnames or ()}
    missing = [column for column in columns if column not in names]
    if missing:
        raise ValueError(f"column {missing[0]!r} is missing")
    for row in reader:
        yield [(row[names[column]] or "").strip() for column in columns]
