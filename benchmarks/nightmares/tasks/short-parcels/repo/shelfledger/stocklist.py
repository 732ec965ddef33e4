"""The stock as a list."""

from __future__ import annotations

from .warehouse import Warehouse


def stocklist(warehouse: Warehouse) -> str:
    """A line for each shelf: what lies there and how much room is left."""
    lines = []
    for shelf in warehouse.shelves:
        held = [f"{count} {article}" for place, article, count in warehouse.store if place == shelf]
        lines.append(f"{shelf}: {', '.join(held) or 'empty'} ({warehouse.room(shelf)} free)")
    return "\n".join(lines)
