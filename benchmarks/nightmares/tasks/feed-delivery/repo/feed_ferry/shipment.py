"""What is carried: named records, and how they look on the wire."""

import json
import zlib
from dataclasses import dataclass
from typing import Iterable, Iterator

from .rows import Record


@dataclass(frozen=True)
class Manifest:
    """What a receiver needs to check a file."""

    name: str
    lines: int
    checksum: str

    def text(self) -> str:
        return f"{self.name} {self.lines} {self.checksum}"


class Shipment:
    """The records of one feed on their way."""

    def __init__(self, name: str, records: Iterable[Record]) -> None:
        if not name or "/" in name:
            raise ValueError(f"{name!r} cannot be a file name")
        self.name = name
        self.records = records

    def lines(self) -> Iterator[str]:
        """The records as JSON, keys sorted."""
        for record in self.records:
            yield json.dumps(record, sort_keys=True)

    def manifest(self) -> Manifest:
        count, checksum = 0, 0
        for line in self.lines():
            count += 1
            checksum = zlib.crc32(line.encode() + b"\n", checksum)
        return Manifest(self.name, count, f"{checksum:08x}")
