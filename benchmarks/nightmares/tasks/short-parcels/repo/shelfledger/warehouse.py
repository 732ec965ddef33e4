"""The warehouse: shelves with a capacity, and what can be done with them."""

from __future__ import annotations

from typing import Mapping

from .errors import OutOfStock, ShelfFull, UnknownShelf
from .journal import Journal
from .store import Store
from .unit import Unit


class Warehouse:
    """Shelves, their stock, and a journal."""

    def __init__(self, journal: Journal, shelves: Mapping[str, int]) -> None:
        self.store = Store()
        self.journal = journal
        self._shelves = dict(shelves)

    @property
    def shelves(self) -> list[str]:
        return sorted(self._shelves)

    def unit(self) -> Unit:
        """A unit of work over the stock and the journal."""
        return Unit(self.store, self.journal)

    def room(self, shelf: str) -> int:
        """How many more pieces a shelf can hold."""
        return self._capacity(shelf) - self.store.load(shelf)

    def put(self, shelf: str, article: str, count: int) -> None:
        """Put pieces on a shelf.

        Raises:
            UnknownShelf, ShelfFull: it is not possible, and nothing has changed.
        """
        with self.unit():
            self.journal.note(f"put {count} {article} on {shelf}")
            self.store.change(shelf, article, count)
            if self.room(shelf) < 0:
                raise ShelfFull(f"{shelf} cannot hold {count} {article} more")

    def pick(self, shelf: str, article: str, count: int) -> None:
        """Take pieces from a shelf.

        Raises:
            UnknownShelf, OutOfStock: it is not possible, and nothing has changed.
        """
        self._capacity(shelf)
        with self.unit():
            self.journal.note(f"pick {count} {article} from {shelf}")
            if self.store.change(shelf, article, -count) < 0:
                raise OutOfStock(f"there are not {count} {article} on {shelf}")

    def transfer(self, source: str, target: str, article: str, count: int) -> None:
        """Bring pieces from one shelf to another.

        Raises:
            UnknownShelf, OutOfStock, ShelfFull: it is not possible, and nothing has changed.
        """
        with self.unit():
            self.pick(source, article, count)
            self.put(target, article, count)

    def clear(self, shelf: str, targets: list[str]) -> None:
        """Empty a shelf: each article goes as a whole to the first target that has room for it.

        Raises:
            UnknownShelf: a shelf does not exist.
            ShelfFull: there is an article for which no target has room; nothing has changed.
        """
        with self.unit():
            for place, article, count in list(self.store):
                if place != shelf:
                    continue
                for target in targets:
                    try:
                        self.transfer(shelf, target, article, count)
                    except ShelfFull:
                        continue
                    break
                else:
                    raise ShelfFull(f"no room for {count} {article} of {shelf}")

    def _capacity(self, shelf: str) -> int:
        try:
            return self._shelves[shelf]
        except KeyError:
            raise UnknownShelf(f"there is no shelf {shelf!r}") from None
