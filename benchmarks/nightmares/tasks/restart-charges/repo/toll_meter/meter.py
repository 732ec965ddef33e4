"""Adds events to accounts."""

from __future__ import annotations

from typing import Iterable, Iterator

from .accounts import Account
from .events import Event
from .prices import PriceList


class Meter:
    """All accounts. Customers that nobody registered are on the basic plan."""

    def __init__(self, prices: PriceList, accounts: Iterable[Account] = ()) -> None:
        self._prices = prices
        self._accounts = {account.customer: account for account in accounts}

    def account(self, customer: str) -> Account:
        if customer not in self._accounts:
            self._accounts[customer] = Account(customer)
        return self._accounts[customer]

    async def record(self, event: Event) -> None:
        """Charge one event.

        Raises:
            UnknownPrice: nobody knows what it costs.
            LimitExceeded: the customer cannot afford it.
        """
        account = self.account(event.customer)
        account.spent[event.kind] = account.already(event.kind) + account.within_limit(await self._cost(event))
        account.events += 1

    async def _cost(self, event: Event) -> int:
        plan = self.account(event.customer).plan
        return event.units * await self._prices.of(plan, event.kind)

    def __iter__(self) -> Iterator[Account]:
        return iter(sorted(self._accounts.values(), key=lambda account: account.customer))
