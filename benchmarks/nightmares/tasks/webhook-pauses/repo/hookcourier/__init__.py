"""Delivers webhooks, and leaves hosts in peace that have trouble."""

from .board import board
from .breaker import Breaker, State
from .courier import Courier
from .delivery import Delivery, Fate
from .policy import Policy
from .queue import DeliveryQueue

__all__ = [
    "Breaker",
    "Courier",
    "Delivery",
    "DeliveryQueue",
    "Fate",
    "Policy",
    "State",
    "board",
]
