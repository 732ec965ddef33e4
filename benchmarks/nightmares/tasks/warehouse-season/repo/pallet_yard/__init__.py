"""Replenishment planning for distribution centres."""

from .catalog import Catalog, Product
from .planner import Order, plan
from .report import order_sheet
from .season import Season
from .site import Site
from .zones import Zone, ZoneTemplate

__all__ = ["Catalog", "Order", "Product", "Season", "Site", "Zone", "ZoneTemplate", "order_sheet", "plan"]
