"""Membership dues."""

from .club import Club
from .cycles import MONTHLY, QUARTERLY, YEARLY, Cycle, cycle_named
from .ledger import Charge, Ledger
from .members import Member, MemberError

__all__ = [
    "MONTHLY",
    "QUARTERLY",
    "YEARLY",
    "Charge",
    "Club",
    "Cycle",
    "Ledger",
    "Member",
    "MemberError",
    "cycle_named",
]
