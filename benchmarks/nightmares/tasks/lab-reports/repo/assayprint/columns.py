"""Columns of a table: how a value becomes a cell."""

from __future__ import annotations

from typing import Any

from . import settings
from .numerals import format_number


class Column:
    """A column with a title. ``cell`` makes a value's text, ``pad`` brings it to the column's width."""

    def __init__(self, title: str, width: int) -> None:
        self.title = title
        self.width = width

    def cell(self, value: Any) -> str:
        raise NotImplementedError

    def pad(self, text: str) -> str:
        return text[: self.width].ljust(self.width)

    def header(self) -> str:
        return self.pad(self.title)


class TextColumn(Column):
    """Text, to the left."""

    def cell(self, value: Any) -> str:
        return self.pad("" if value is None else str(value))


class NumberColumn(Column):
    """Numbers, to the right."""

    def __init__(
        self,
        title: str,
        width: int = settings.ACTIVE.width,
        decimals: int | None = None,
    ) -> None:
        super().__init__(title, width)
        self.decimals = decimals

    def cell(self, value: Any) -> str:
        return self.pad(format_number(value, self.decimals))

    def pad(self, text: str) -> str:
        return text.rjust(self.width)
