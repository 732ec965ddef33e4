"""Statements: what happened on an account in a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator

from .entries import Entry
from .journal import Journal
from .windows import Window, months


@dataclass(frozen=True)
class Statement:
    """The entries of a window between two balances, all amounts in cents."""

    window: Window
    opening: int
    entries: tuple[Entry, ...]
    closing: int

    @property
    def paid_in(self) -> int:
        return sum(entry.amount for entry in self.entries if entry.amount > 0)

    @property
    def paid_out(self) -> int:
        return -sum(entry.amount for entry in self.entries if entry.amount < 0)

    def running(self) -> Iterator[tuple[Entry, int]]:
        """Each entry with the balance after it."""
        balance = self.opening
        for entry in self.entries:
            balance += entry.amount
            yield entry, balance


def statement(journal: Journal, window: Window) -> Statement:
    """The statement of a window."""
    opening = journal.balance_before(window.start)
    entries = tuple(journal.entries(window))
    return Statement(window, opening, entries, opening + sum(entry.amount for entry in entries))


def monthly(journal: Journal, window: Window) -> list[Statement]:
    """One statement for every calendar month that has a day in the window."""
    return [statement(journal, each) for each in months(window.start, window.stop)]
