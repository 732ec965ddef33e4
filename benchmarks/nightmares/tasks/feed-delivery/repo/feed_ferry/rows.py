"""Reading feeds."""

import csv
import io
from typing import Dict, Iterator

Record = Dict[str, object]


class FeedError(ValueError):
    """A feed is not what the supplier promised."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


def read_rows(text: str) -> Iterator[Record]:
    """Yield one record a line; the first line has the column names. Blank lines are skipped."""
    reader = csv.reader(io.StringIO(text))
    columns = [column.strip().lower() for column in next(reader, [])]
    if not columns:
        raise FeedError(1, "the feed is empty")
    for values in reader:
        if not values:
            continue
        if len(values) != len(columns):
            raise FeedError(reader.line_num, f"{len(values)} values for {len(columns)} columns")
        yield dict(zip(columns, (value.strip() for value in values)))
