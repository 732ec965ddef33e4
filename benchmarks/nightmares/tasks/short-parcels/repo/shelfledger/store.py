"""The stock itself: how many pieces of what lie where."""

from __future__ import annotations

from typing import Iterator


class Store:
    """Counts by shelf and article, with savepoints that can be nested."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}
        self._savepoints: list[dict[tuple[str, str], int]] = []

    def __iter__(self) -> Iterator[tuple[str, str, int]]:
        for (shelf, article), count in sorted(self._counts.items()):
            yield shelf, article, count

    def count(self, shelf: str, article: str) -> int:
        return self._counts.get((shelf, article), 0)

    def load(self, shelf: str) -> int:
        """How many pieces lie on a shelf, of whatever kind."""
        return sum(count for (place, _), count in self._counts.items() if place == shelf)

    def change(self, shelf: str, article: str, difference: int) -> int:
        """Add pieces, or take some away. Returns how many there are then."""
        count = self.count(shelf, article) + difference
        if count:
            self._counts[shelf, article] = count
        else:
            self._counts.pop((shelf, article), None)
        return count

    def save(self) -> None:
        """Set a savepoint."""
        self._savepoints.append(dict(self._counts))

    def commit(self) -> None:
        """Keep what has changed since the last savepoint, and forget the savepoint."""
        self._savepoints.pop()

    def roll_back(self) -> None:
        """Go back to the last savepoint."""
        self._counts = self._savepoints.pop()
