"""A till's view of the documents while it works on them."""

from __future__ import annotations

from typing import Iterable

from .errors import AlreadyExists
from .store import Document, Store


class Session:
    """Keeps what was read and changed until it is committed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._working: dict[str, Document] = {}
        self._bases: dict[str, int] = {}
        self._dirty: set[str] = set()

    def get(self, key: str) -> Document:
        """The document to look at. It must not be changed, see ``edit``."""
        if key not in self._working:
            self._bases[key], self._working[key] = self._store.read(key)
        return self._working[key]

    def edit(self, key: str) -> Document:
        """The document to change in place."""
        document = self.get(key)
        self._dirty.add(key)
        return document

    def create(self, key: str, document: Document) -> None:
        if key in self._working or self._store.version(key):
            raise AlreadyExists(key)
        self._bases[key], self._working[key] = 0, document
        self._dirty.add(key)

    def commit(self) -> None:
        """Write all changes at once.

        Raises Conflict if another session was faster.
        """
        self._store.commit(self._bases, {key: self._working[key] for key in self._dirty})
        for key in self._dirty:
            self._bases[key] += 1
        self._dirty.clear()

    def rebase(self, keys: Iterable[str]) -> None:
        """Go on from the present versions of some documents."""
        for key in keys:
            self._bases[key] = self._store.version(key)
