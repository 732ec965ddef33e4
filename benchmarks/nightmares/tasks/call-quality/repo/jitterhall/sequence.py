"""From the 16 bits of a header to positions in the whole stream."""

from __future__ import annotations

MODULUS = 1 << 16
HALF = MODULUS // 2


class SequenceTracker:
    """Follows a stream's sequence numbers around the clock.

    The first number that is seen is its own position. A number is taken for the position that is nearest
    to the highest one so far.
    """

    def __init__(self) -> None:
        self._newest: int | None = None
        self._base = 0

    @property
    def newest(self) -> int | None:
        """The sequence number of the packet that is farthest ahead."""
        return self._newest

    def position(self, sequence: int) -> int:
        """The position in the stream of a packet with this sequence number."""
        if not 0 <= sequence < MODULUS:
            raise ValueError(f"a sequence number has 16 bits: {sequence}")
        if self._newest is None:
            self._newest = sequence
        elif (sequence - self._newest) % MODULUS < HALF:
            if sequence < self._newest:
                self._base += MODULUS
            self._newest = sequence
        return self._base + sequence
