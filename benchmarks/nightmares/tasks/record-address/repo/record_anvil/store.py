"""A store of records, kept as JSON text."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from .records import Record

R = TypeVar("R", bound=Record)


class UnknownRecord(LookupError):
    """There is no such record."""


class Store:
    """Records by class and number."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, int], str] = {}
        self.journal: list[str] = []

    def save(self, record: Any) -> list[str]:
        """Write a record; returns the sorted names of the fields that have changed."""
        record.validate()
        key = (type(record).__name__, record.number)
        old = json.loads(self._rows[key]) if key in self._rows else {}
        new = record.to_dict()
        changed = sorted(name for name in new if name not in old or old[name] != new[name])
        if changed:
            self._rows[key] = json.dumps(new)
            self.journal.append(f"{key[0]} {key[1]}: {', '.join(changed)}")
        return changed

    def load(self, kind: type[R], number: int) -> R:
        try:
            row = self._rows[kind.__name__, number]
        except KeyError:
            raise UnknownRecord(f"no {kind.__name__} {number}") from None
        return kind.from_dict(json.loads(row))

    def numbers(self, kind: type[Record]) -> list[int]:
        return sorted(number for name, number in self._rows if name == kind.__name__)
