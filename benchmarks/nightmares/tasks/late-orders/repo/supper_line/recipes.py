"""What dishes need, in this order."""

RECIPES = {
    "soup": [("stove", 6)],
    "steak": [("cut", 2), ("grill", 8)],
    "skewer": [("cut", 4), ("grill", 6), ("pass", 1)],
    "roast": [("stove", 10), ("grill", 4), ("pass", 1)],
    "salad": [("cut", 3), ("pass", 1)],
    "toast": [("grill", 2)],
}
"""Dish to places and minutes. What the kitchen has no such place for takes its minutes anywhere."""


def steps(dish):
    """Places and minutes of a dish. Raises ``KeyError``."""
    return list(RECIPES[dish])


def shortest(dish):
    """Minutes that a dish takes if it need not wait."""
    return sum(minutes for _, minutes in steps(dish))
