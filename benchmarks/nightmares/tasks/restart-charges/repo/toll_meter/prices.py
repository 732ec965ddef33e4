"""Prices, remembered."""

from __future__ import annotations

from .service import PriceService


class UnknownPrice(LookupError):
    """The service has no price for a plan and kind."""


class PriceList:
    """Asks the service once and remembers the answer."""

    def __init__(self, service: PriceService) -> None:
        self._service = service
        self._known: dict[tuple[str, str], int] = {}

    async def of(self, plan: str, kind: str) -> int:
        """Micro-cents for one unit."""
        if (plan, kind) not in self._known:
            try:
                price = await self._service.ask(plan, kind)
            except KeyError:
                raise UnknownPrice(f"no price for {kind} in plan {plan}") from None
            self._known[plan, kind] = price
        return self._known[plan, kind]

    def forget(self) -> None:
        self._known.clear()
