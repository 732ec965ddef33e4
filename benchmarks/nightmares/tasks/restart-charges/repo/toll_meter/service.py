"""The price service, as far as this package needs it."""

from __future__ import annotations

import asyncio
from typing import Mapping


class PriceService:
    """Answers after some turns of the event loop, as a stand-in for the network."""

    def __init__(self, prices: Mapping[tuple[str, str], int], turns: int = 3) -> None:
        self._prices = dict(prices)
        self.turns = turns
        self.calls = 0
        self.active = 0
        self.most_active = 0

    async def ask(self, plan: str, kind: str) -> int:
        """Raises KeyError if there is no such price."""
        self.calls += 1
        self.active += 1
        self.most_active = max(self.most_active, self.active)
        try:
            for _ in range(self.turns):
                await asyncio.sleep(0)
            return self._prices[plan, kind]
        finally:
            self.active -= 1

    def change(self, plan: str, kind: str, price: int) -> None:
        self._prices[plan, kind] = price
