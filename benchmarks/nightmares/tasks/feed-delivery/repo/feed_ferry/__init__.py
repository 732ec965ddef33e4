from .courier import Courier, Receipt
from .destinations import ConnectionLost, Destination
from .ferry import Ferry
from .rows import FeedError
from .shipment import Manifest, Shipment
from .steps import convert, drop, rename

__all__ = [
    "ConnectionLost",
    "Courier",
    "Destination",
    "FeedError",
    "Ferry",
    "Manifest",
    "Receipt",
    "Shipment",
    "convert",
    "drop",
    "rename",
]
