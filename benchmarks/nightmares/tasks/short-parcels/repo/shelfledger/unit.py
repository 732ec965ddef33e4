"""Units of work: several changes that count as one."""

from __future__ import annotations

from .journal import Journal
from .store import Store


class Unit:
    """Makes the changes inside of a ``with`` block a whole; a unit in a unit is a part of it."""

    def __init__(self, store: Store, journal: Journal) -> None:
        self._store = store
        self._journal = journal

    def __enter__(self) -> Unit:
        self._store.save()
        self._journal.begin()
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self._store.commit()
        else:
            self._store.roll_back()
        return self._journal.end(keep=kind is None)
