"""A toy exchange."""

from .accounts import Accounts, Position
from .book import Book
from .exchange import Exchange
from .orders import Order, OrderError, Side
from .tape import Tape, Trade

__all__ = ["Accounts", "Book", "Exchange", "Order", "OrderError", "Position", "Side", "Tape", "Trade"]
