"""The catalogue: articles with their category and list price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable

from .errors import UnknownArticle


@dataclass(frozen=True)
class Article:
    """Something that is sold. ``price`` is the list price of one piece, in cents."""

    sku: str
    name: str
    category: str
    price: int


class Catalogue:
    """All articles by article number."""

    def __init__(self, articles: Iterable[Article]) -> None:
        self._articles = {article.sku.upper(): article for article in articles}

    def __len__(self) -> int:
        return len(self._articles)

    def article(self, sku: str) -> Article:
        try:
            return self._articles[sku.strip().upper()]
        except KeyError:
            raise UnknownArticle(f"there is no article {sku!r}") from None
