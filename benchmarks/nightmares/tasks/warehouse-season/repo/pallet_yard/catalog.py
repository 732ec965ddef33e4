"""What can be stored, and how it is bought."""

from dataclasses import dataclass
from typing import Iterable, Iterator


@dataclass(frozen=True)
class Product:
    """An article as the supplier delivers it."""

    sku: str
    name: str
    minimum_order: int = 1
    """Pallets; smaller orders are rounded up to it."""
    chilled: bool = False


class Catalog:
    """All products, by stock keeping unit."""

    def __init__(self, products: Iterable[Product] = ()) -> None:
        self._products: dict[str, Product] = {}
        for product in products:
            self.add(product)

    def add(self, product: Product) -> None:
        if product.sku in self._products:
            raise ValueError(f"duplicate sku {product.sku!r}")
        self._products[product.sku] = product

    def __getitem__(self, sku: str) -> Product:
        try:
            return self._products[sku]
        except KeyError:
            raise LookupError(f"unknown sku {sku!r}") from None

    def __contains__(self, sku: object) -> bool:
        return sku in self._products

    def __iter__(self) -> Iterator[Product]:
        return iter(self._products.values())
