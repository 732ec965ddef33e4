"""Tables as data, so that the terminal and the page show the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text


@dataclass(frozen=True)
class Group:
    """Rows that belong together, with a line above them that says what they are; empty: there is none."""

    heading: str
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Sheet:
    """A table with its words."""

    title: str
    columns: Sequence[str]
    groups: Sequence[Group]
    left: int = 1
    """So many columns hold text, the others numbers."""
    note: str = ""

    @property
    def shown(self) -> list[int]:
        """The columns that say something."""
        rows = [row for group in self.groups for row in group.rows]
        return [
            column
            for column in range(len(self.columns))
            if column < self.left or any(row[column] for row in rows)
        ]

    def lines(self) -> Iterator[tuple[str, Sequence[str]]]:
        """A heading and no cells, or no heading and the cells of a row, in order."""
        for group in self.groups:
            if group.heading:
                yield group.heading, ()
            for row in group.rows:
                yield "", [row[column] for column in self.shown]


def show(console: Console, sheet: Sheet) -> None:
    """Print a table for people."""
    table = RichTable(
        title=Text(sheet.title),
        title_justify="left",
        title_style="bold",
        header_style="dim",
        show_edge=False,
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    for column in sheet.shown:
        number = column >= sheet.left
        table.add_column(
            sheet.columns[column], justify="right" if number else "left", no_wrap=number, overflow="fold"
        )
    for heading, cells in sheet.lines():
        table.add_row(*([Text(heading, style="cyan")] if heading else map(Text, cells)))
    console.print(table)
    if sheet.note:
        console.print(Text(sheet.note, style="dim"), soft_wrap=False)
    console.print()
