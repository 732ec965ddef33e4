"""Bank books with optimistic transactions."""

from .bank import Bank, BankError, Overdrawn
from .errors import AlreadyExists, BookError, Conflict, GaveUp, NoSuchDocument
from .reports import balances, statement
from .session import Session
from .store import Store
from .work import transact

__all__ = [
    "AlreadyExists",
    "Bank",
    "BankError",
    "BookError",
    "Conflict",
    "GaveUp",
    "NoSuchDocument",
    "Overdrawn",
    "Session",
    "Store",
    "balances",
    "statement",
    "transact",
]
