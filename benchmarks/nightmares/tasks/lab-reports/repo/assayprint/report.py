"""A report: a title and a table of results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from .columns import Column, NumberColumn, TextColumn
from .limits import Limits


@dataclass(frozen=True)
class Result:
    """One measured value."""

    analyte: str
    value: float | None
    limits: Limits


class Report:
    """Collects the results of one sample and prints them."""

    def __init__(self, title: str, value_column: NumberColumn | None = None) -> None:
        self.title = title
        self._value_column = value_column
        self._results: list[Result] = []

    def __len__(self) -> int:
        return len(self._results)

    def add(
        self,
        analyte: str,
        value: float | None,
        low: float | None = None,
        high: float | None = None,
    ) -> None:
        """Add a result with its reference range; a value of None is printed as missing."""
        self._results.append(Result(analyte, value, Limits(low, high)))

    @property
    def flagged(self) -> list[str]:
        """The analytes outside of their range."""
        return [result.analyte for result in self._results if result.limits.flag(result.value)]

    def render(self) -> str:
        """The report as text."""
        columns = self._columns()
        lines = [self.title, _row([column.header() for column in columns])]
        for result in self._results:
            values = (
                result.analyte,
                result.value,
                result.limits.flag(result.value),
                result.limits.describe(),
            )
            lines.append(_row([column.cell(value) for column, value in zip(columns, values)]))
        return "\n".join(lines)

    def _columns(self) -> Sequence[Column]:
        value = self._value_column or NumberColumn("value")
        return TextColumn("analyte", 14), value, TextColumn("", 2), TextColumn("range", 20)


def _row(cells: list[str]) -> str:
    return " ".join(cells).rstrip()
