"""What the buyers print."""

from .planner import plan
from .site import Site


def order_sheet(site: Site) -> str:
    """One line an order: quantity, product, zones."""
    lines = [f"Orders for {site.name}" + (f" ({site.season.name})" if site.season else "")]
    for order in plan(site):
        name = site.catalog[order.sku].name
        zones = ", ".join(f"{zone} {pallets}" for zone, pallets in order.split)
        lines.append(f"{order.pallets:4d}  {name}: {zones}")
    if len(lines) == 1:
        lines.append("nothing to order")
    return "\n".join(lines)
