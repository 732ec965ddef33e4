"""A list of names that is kept in the order of their scores."""

from bisect import bisect_left, bisect_right, insort
from typing import Dict, Iterator, List, Tuple

LAST = "\U0010ffff"
"""Comes after every name."""


class Ranking:
    """Names with scores, best first, equal ones by name."""

    def __init__(self) -> None:
        self._order: List[Tuple[float, str]] = []
        self._keys: Dict[str, Tuple[float, str]] = {}

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, name: str) -> bool:
        return name in self._keys

    def __iter__(self) -> Iterator[str]:
        return (name for _, name in self._order)

    def place(self, name: str, score: float) -> None:
        """Put a name where its score belongs. It leaves the place it had."""
        self.remove(name)
        key = self._keys[name] = (-score, name)
        insort(self._order, key)

    def remove(self, name: str) -> None:
        """Take a name out; nothing happens if it is not there."""
        key = self._keys.pop(name, None)
        if key is not None:
            index = bisect_left(self._order, key)
            del self._order[index : bisect_right(self._order, key, index)]

    def position(self, name: str) -> int:
        """How many names come before this one."""
        return bisect_left(self._order, self._keys[name])

    def at_least(self, score: float) -> List[str]:
        """The names with this score or a better one, best first."""
        end = bisect_right(self._order, (-score, LAST))
        return [name for _, name in self._order[:end]]
