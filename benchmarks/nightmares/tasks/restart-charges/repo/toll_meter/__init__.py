"""Usage-based billing."""

from .accounts import Account, LimitExceeded
from .events import Event
from .intake import Intake, Outcome
from .meter import Meter
from .prices import PriceList, UnknownPrice
from .service import PriceService
from .statement import statement

__all__ = [
    "Account",
    "Event",
    "Intake",
    "LimitExceeded",
    "Meter",
    "Outcome",
    "PriceList",
    "PriceService",
    "UnknownPrice",
    "statement",
]
