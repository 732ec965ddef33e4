"""Output of programs, kept within bounds however much is written."""

from __future__ import annotations


class BoundedOutput:
    """Keeps the first and the last half of ``limit`` bytes and counts what it drops between them."""

    def __init__(self, limit: int) -> None:
        self.half = max(limit // 2, 1)
        self.head = bytearray()
        self.tail = bytearray()
        self.total = 0

    def add(self, data: bytes) -> None:
        """Take more output."""
        self.total += len(data)
        room = self.half - len(self.head)
        if room > 0:
            self.head += data[:room]
            data = data[room:]
        if data:
            self.tail += data
            if len(self.tail) > 4 * self.half:
                del self.tail[: -self.half]

    @property
    def dropped(self) -> int:
        """How many bytes are missing from the middle."""
        return self.total - len(self.head) - min(len(self.tail), self.half)

    def text(self) -> str:
        """What was kept, with a line that says what was cut. Bytes that are not UTF-8 become U+FFFD."""
        tail = bytes(self.tail[-self.half :])
        if not self.dropped:
            return (bytes(self.head) + tail).decode("utf-8", "replace")
        cut = "\n... [%d bytes cut] ...\n" % self.dropped
        return self.head.decode("utf-8", "replace") + cut + tail.decode("utf-8", "replace")

    def data(self) -> bytes:
        """The bytes that were kept, with no mark where something was cut."""
        return bytes(self.head) + bytes(self.tail[-self.half :])
