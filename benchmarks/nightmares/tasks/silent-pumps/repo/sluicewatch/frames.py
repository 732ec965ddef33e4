"""The gateway's byte stream, cut into frames."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Iterator

_HEADER = struct.Struct("!cH")
KINDS = frozenset({"A", "R", "S", "B"})


class FrameError(ValueError):
    """The stream is broken, or a payload does not fit its kind."""


@dataclass(frozen=True)
class Frame:
    """One frame. ``kind`` is a letter."""

    kind: str
    payload: bytes

    def encode(self) -> bytes:
        return _HEADER.pack(self.kind.encode("ascii"), len(self.payload)) + self.payload


class FrameReader:
    """Puts frames together from pieces of any size."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take a piece of the stream and yield the frames that it completes.

        Raises:
            FrameError: a frame of an unknown kind; the stream cannot be read any further.
        """
        self._rest += data
        while len(self._rest) >= _HEADER.size:
            letter, length = _HEADER.unpack_from(self._rest)
            kind = letter.decode("latin-1")
            if kind not in KINDS:
                raise FrameError(f"unknown kind of frame {kind!r}")
            end = _HEADER.size + length
            if len(self._rest) < end:
                return
            payload, self._rest = self._rest[_HEADER.size : end], self._rest[end:]
            yield Frame(kind, payload)
