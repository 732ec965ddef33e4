"""Quotes: what a customer would pay today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Iterable, Sequence

from .catalogue import Article, Catalogue
from .errors import NoPrice
from .masterdata import Customer, MasterData
from .sources import Campaign, CampaignPrices, ContractPrices, ListPrices, PriceSource


@dataclass(frozen=True)
class QuoteLine:
    """One article of a quote. ``source`` names where the price comes from."""

    article: Article
    quantity: int
    unit_price: int
    source: str

    @property
    def total(self) -> int:
        return self.quantity * self.unit_price


@dataclass(frozen=True)
class Quote:
    """What a customer asked for, with prices, all in cents."""

    customer: Customer
    day: date
    lines: tuple[QuoteLine, ...]

    @property
    def total(self) -> int:
        return sum(line.total for line in self.lines)

    def render(self) -> str:
        rows = [f"Quote for {self.customer.name}, {self.day}"]
        for line in self.lines:
            price = f"{line.quantity} x {line.unit_price / 100:.2f}"
            rows.append(f"  {line.article.name:20} {price:>14} {line.total / 100:>10.2f}")
        rows.append(f"  {'total':20} {'':14} {self.total / 100:>10.2f}")
        return "\n".join(rows)


class Quoter:
    """Makes quotes from the sources, in the order in which they are asked."""

    def __init__(
        self, data: MasterData, catalogue: Catalogue, sources: Sequence[PriceSource]
    ) -> None:
        self._data = data
        self._catalogue = catalogue
        self._sources = tuple(sources)

    @classmethod
    def standard(
        cls, data: MasterData, catalogue: Catalogue, campaigns: Iterable[Campaign] = ()
    ) -> Quoter:
        """Contract before campaign before list price."""
        sources = [ContractPrices(data), CampaignPrices(campaigns), ListPrices(catalogue)]
        return cls(data, catalogue, sources)

    def quote(self, number: str, wanted: Iterable[tuple[str, int]], day: date) -> Quote:
        """A quote for article numbers with quantities.

        Raises:
            UnknownCustomer, UnknownArticle: somebody or something does not exist.
            NoPrice: no source has a price for one of the articles.
            ValueError: a quantity is not positive.
        """
        customer = self._data.customer(number)
        lines = [self._line(customer, sku, quantity, day) for sku, quantity in wanted]
        return Quote(customer, day, tuple(lines))

    def _line(self, customer: Customer, sku: str, quantity: int, day: date) -> QuoteLine:
        if quantity < 1:
            raise ValueError(f"{quantity} pieces of {sku} cannot be quoted")
        article = self._catalogue.article(sku)
        for source in self._sources:
            try:
                price = source.price(customer, article, quantity, day)
            except LookupError:
                continue
            return QuoteLine(article, quantity, price, source.name)
        raise NoPrice(f"no price for {quantity} pieces of {article.sku}")
