"""Keeps track of what lies on which shelf of a warehouse."""

from .dispatch import Dispatch, Order, OrderLine, ShipmentReport
from .errors import OutOfStock, ShelfFull, StockError, UnknownShelf
from .journal import Journal
from .stocklist import stocklist
from .warehouse import Warehouse

__all__ = [
    "Dispatch",
    "Journal",
    "Order",
    "OrderLine",
    "OutOfStock",
    "ShelfFull",
    "ShipmentReport",
    "StockError",
    "UnknownShelf",
    "Warehouse",
    "stocklist",
]
