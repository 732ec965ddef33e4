"""Where the documents are kept."""

from __future__ import annotations

import copy
from typing import Any, Callable, Iterator, Mapping

from .errors import Conflict, NoSuchDocument

Document = dict[str, Any]


class Store:
    """Documents with version numbers. Version 0 means that there is no such document."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}
        self._versions: dict[str, int] = {}
        self.before_commit: list[Callable[[tuple[str, ...]], None]] = []

    def version(self, key: str) -> int:
        return self._versions.get(key, 0)

    def read(self, key: str) -> tuple[int, Document]:
        """Version and a copy of a document."""
        if key not in self._documents:
            raise NoSuchDocument(key)
        return self._versions[key], copy.deepcopy(self._documents[key])

    def commit(self, expected: Mapping[str, int], documents: Mapping[str, Document]) -> None:
        """Write documents if all expected versions are the present ones.

        Raises Conflict, and writes nothing, if some are not.
        """
        for hook in self.before_commit:
            hook(tuple(sorted(documents)))
        stale = [key for key, version in expected.items() if self.version(key) != version]
        if stale:
            raise Conflict(stale)
        for key, document in documents.items():
            self._documents[key] = copy.deepcopy(document)
            self._versions[key] = self.version(key) + 1

    def keys(self, prefix: str = "") -> Iterator[str]:
        return iter(sorted(key for key in self._documents if key.startswith(prefix)))
