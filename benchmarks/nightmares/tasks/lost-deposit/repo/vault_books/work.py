"""Pieces of work that are tried again after a conflict."""

from __future__ import annotations

from typing import Callable, TypeVar

from .errors import Conflict, GaveUp
from .session import Session
from .store import Store

T = TypeVar("T")


def transact(store: Store, work: Callable[[Session], T], attempts: int = 5) -> T:
    """Run ``work`` in a session, commit, and return its result.

    Raises:
        GaveUp: the commit met a conflict at each attempt.
    """
    session = Session(store)
    for _ in range(attempts):
        result = work(session)
        try:
            session.commit()
        except Conflict as conflict:
            session.rebase(conflict.keys)
        else:
            return result
    raise GaveUp(f"gave up after {attempts} attempts")
