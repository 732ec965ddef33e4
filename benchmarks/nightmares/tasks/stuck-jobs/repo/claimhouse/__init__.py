"""A small job broker with leases."""

from .broker import Broker, Refused
from .clock import ManualClock, SystemClock
from .endpoint import Endpoint
from .messages import BadMessage

__all__ = ["BadMessage", "Broker", "Endpoint", "ManualClock", "Refused", "SystemClock"]
