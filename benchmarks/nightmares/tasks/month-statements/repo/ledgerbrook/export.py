"""Statements as text, in pages."""

from __future__ import annotations

from typing import Iterator, Sequence, TypeVar

from .entries import format_cents
from .statements import Statement

T = TypeVar("T")


def paginate(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut a sequence into pages of a size; the last one may be shorter. Nothing gives one empty page."""
    if size < 1:
        raise ValueError("a page has at least one line")
    yield items[:size]
    for start in range(size, len(items), size):
        yield items[start : start + size]


def render(statement: Statement, page_size: int = 30) -> list[str]:
    """The pages of a statement. The balance is carried from page to page."""
    title = f"{statement.window.start} to {statement.window.last}"
    rows = list(statement.running())
    pages = list(paginate(rows, page_size))
    balance = statement.opening
    texts = []
    for number, page in enumerate(pages, start=1):
        label = "opening balance" if number == 1 else "carried over"
        lines = [f"{title}  page {number} of {len(pages)}", _line("", label, balance)]
        for entry, balance in page:
            lines.append(_line(f"{entry.day:%d.%m.}", entry.text, entry.amount))
        label = "closing balance" if number == len(pages) else "carry over"
        lines.append(_line("", label, balance))
        texts.append("\n".join(lines))
    return texts


def _line(day: str, text: str, amount: int) -> str:
    return f"{day:6} {text[:24]:24} {format_cents(amount):>14}"
