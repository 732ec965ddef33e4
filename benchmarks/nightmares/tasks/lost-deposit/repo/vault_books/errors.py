"""What can go wrong with documents."""

from typing import Iterable


class BookError(Exception):
    """Base of the errors of this package."""


class NoSuchDocument(BookError, LookupError):
    def __init__(self, key: str) -> None:
        super().__init__(f"there is no document {key!r}")


class AlreadyExists(BookError):
    def __init__(self, key: str) -> None:
        super().__init__(f"there is already a document {key!r}")


class Conflict(BookError):
    """Somebody else wrote documents that a session has read."""

    def __init__(self, keys: Iterable[str]) -> None:
        self.keys = tuple(sorted(keys))
        super().__init__(f"written by somebody else: {', '.join(self.keys)}")


class GaveUp(BookError):
    """There was a conflict at each attempt."""
