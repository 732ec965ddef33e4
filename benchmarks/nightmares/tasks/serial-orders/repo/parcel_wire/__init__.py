"""Orders over a serial line."""

from .fields import FieldError
from .frames import Frame, FrameReader
from .messages import Cancellation, Order, Ping
from .office import Office
from .warehouse import Warehouse

__all__ = ["Cancellation", "FieldError", "Frame", "FrameReader", "Office", "Order", "Ping", "Warehouse"]
