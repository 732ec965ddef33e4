"""Cleaning steps. A step takes records and yields records."""

from typing import Callable, Iterable, Iterator

from .rows import Record

Step = Callable[[Iterable[Record]], Iterator[Record]]


def rename(**columns: str) -> Step:
    """Give columns new names: ``rename(art_no="sku")``."""

    def step(records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            yield {columns.get(column, column): value for column, value in record.items()}

    return step


def convert(**types: Callable[[str], object]) -> Step:
    """Convert columns: ``convert(stock=int)``."""

    def step(records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            converted = dict(record)
            for column, function in types.items():
                converted[column] = function(str(record[column]))
            yield converted

    return step


def drop(condition: Callable[[Record], bool]) -> Step:
    """Leave out the records for which the condition holds."""

    def step(records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            if not condition(record):
                yield record

    return step


def chain(steps: Iterable[Step], records: Iterable[Record]) -> Iterable[Record]:
    for step in steps:
        records = step(records)
    return records
