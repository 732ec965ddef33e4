"""The property store of a theatre."""

from prop_store.desk import Desk
from prop_store.kits import Kit
from prop_store.shelves import Shelves, Shortage

__all__ = ["Desk", "Kit", "Shelves", "Shortage"]
