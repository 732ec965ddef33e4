"""From shortfalls to orders."""

from dataclasses import dataclass

from .site import Site


@dataclass(frozen=True)
class Order:
    """What to buy of one product, and where it goes."""

    sku: str
    pallets: int
    needed: int
    """Pallets that the zones miss; the rest of the order is due to the supplier's minimum."""
    split: tuple[tuple[str, int], ...]
    """Zone names with the pallets that each misses."""


def plan(site: Site) -> list[Order]:
    """Propose one order for each product that any zone is short of, sorted by sku."""
    orders = []
    for product in sorted(site.catalog, key=lambda product: product.sku):
        split = [(zone.name, zone.shortfall(product.sku)) for zone in site]
        split = [(name, pallets) for name, pallets in split if pallets > 0]
        needed = sum(pallets for _, pallets in split)
        if needed:
            quantity = max(needed, product.minimum_order)
            orders.append(Order(product.sku, quantity, needed, tuple(split)))
    return orders
