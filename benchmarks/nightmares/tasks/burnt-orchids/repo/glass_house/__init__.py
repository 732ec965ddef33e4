"""The heating of a greenhouse."""

from glass_house.house import House

__all__ = ["House"]
