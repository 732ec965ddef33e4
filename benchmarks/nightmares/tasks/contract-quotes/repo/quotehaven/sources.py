"""Where prices come from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Iterable, Protocol

from .catalogue import Article, Catalogue
from .errors import NoPrice
from .masterdata import Customer, MasterData


class PriceSource(Protocol):
    """One source of prices."""

    name: str

    def price(self, customer: Customer, article: Article, quantity: int, day: date) -> int:
        """The price of one piece in cents.

        Raises:
            NoPrice: this source has none; the next one is asked.
        """
        ...


class ContractPrices:
    """Prices that were agreed on with a customer."""

    name = "contract"

    def __init__(self, data: MasterData) -> None:
        self._data = data

    def price(self, customer: Customer, article: Article, quantity: int, day: date) -> int:
        line = self._data.contracts.get((customer.id, article.sku.upper()))
        if line is None:
            raise NoPrice(f"{customer.name} has no contract on {article.sku}")
        return reduced(line.at(quantity), self._data.rebates[customer.group])


@dataclass(frozen=True)
class Campaign:
    """A category is cheaper from a first to a last day, both included."""

    category: str
    percent: int
    first: date
    last: date


class CampaignPrices:
    """Prices of the campaigns that run on a day; the best of them counts."""

    name = "campaign"

    def __init__(self, campaigns: Iterable[Campaign]) -> None:
        self._campaigns = list(campaigns)

    def price(self, customer: Customer, article: Article, quantity: int, day: date) -> int:
        running = [
            campaign.percent
            for campaign in self._campaigns
            if campaign.category == article.category and campaign.first <= day <= campaign.last
        ]
        if not running:
            raise NoPrice(f"no campaign for {article.category} on {day}")
        return reduced(article.price, max(running))


class ListPrices:
    """What the catalogue says."""

    name = "list"

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def price(self, customer: Customer, article: Article, quantity: int, day: date) -> int:
        return self._catalogue.article(article.sku).price


def reduced(price: int, percent: int) -> int:
    """A price less a percentage, to the nearest cent, half a cent up."""
    return (price * (100 - percent) + 50) // 100
