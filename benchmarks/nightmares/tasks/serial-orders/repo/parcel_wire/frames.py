"""Frames: how messages are told apart on the line."""

from dataclasses import dataclass
from typing import Iterable, Iterator, List

MARK = b"#"
KINDS = b"OCP"
HEADER = 10
"""Bytes of a frame before its payload."""


@dataclass(frozen=True)
class Frame:
    """One message on the line."""

    kind: str
    text: str

    @property
    def payload(self) -> bytes:
        return self.text.encode("utf-8")

    @property
    def size(self) -> int:
        return len(self.text)

    def to_bytes(self) -> bytes:
        return b"%s%s%08x%s" % (MARK, self.kind.encode("ascii"), self.size, self.payload)


class FrameReader:
    """Finds the frames in what comes in, piece by piece."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.skipped = 0
        """Bytes that belonged to no frame."""

    def feed(self, data: bytes) -> List[Frame]:
        """Take the next bytes of the line; returns the frames that are complete now."""
        self._buffer += data
        return list(self._frames())

    def _frames(self) -> Iterator[Frame]:
        while self._find_header():
            size = int(self._buffer[2:HEADER], 16)
            if len(self._buffer) < HEADER + size:
                return
            kind = chr(self._buffer[1])
            payload = bytes(self._buffer[HEADER:HEADER + size])
            del self._buffer[:HEADER + size]
            yield Frame(kind, payload.decode("utf-8", errors="replace"))

    def _find_header(self) -> bool:
        """Skip noise; True if the buffer starts with a whole header."""
        while True:
            start = self._buffer.find(MARK)
            self._skip(len(self._buffer) if start < 0 else start)
            if len(self._buffer) < HEADER:
                return False
            if self._buffer[1] in KINDS and _is_hexadecimal(self._buffer[2:HEADER]):
                return True
            self._skip(1)

    def _skip(self, count: int) -> None:
        self.skipped += count
        del self._buffer[:count]


def bursts(frames: Iterable[Frame], limit: int) -> Iterator[bytes]:
    """Pack frames into pieces of at most ``limit`` bytes. A larger frame goes alone."""
    burst: List[bytes] = []
    used = 0
    for frame in frames:
        needed = HEADER + frame.size
        if burst and used + needed > limit:
            yield b"".join(burst)
            burst, used = [], 0
        burst.append(frame.to_bytes())
        used += needed
    if burst:
        yield b"".join(burst)


def _is_hexadecimal(digits: bytearray) -> bool:
    return all(digit in b"0123456789abcdef" for digit in digits)
