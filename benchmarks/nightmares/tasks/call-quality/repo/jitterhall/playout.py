"""The playout buffer: packets come in any order and leave in the right one."""

from __future__ import annotations

from typing import Iterator

from .packets import Packet
from .stats import ReceiverStats


class PlayoutBuffer:
    """Holds packets by position until they are due.

    Args:
        depth: how many later packets must have come before a missing one is given up.
        stats: is told about lost, late and doubled packets.
    """

    def __init__(self, depth: int, stats: ReceiverStats) -> None:
        if depth < 1:
            raise ValueError("depth must be at least 1")
        self._depth = depth
        self._stats = stats
        self._held: dict[int, Packet] = {}
        self._due: int | None = None

    def __len__(self) -> int:
        return len(self._held)

    def add(self, position: int, packet: Packet) -> None:
        """Put a packet into its place."""
        if self._due is None:
            self._due = position
        if position < self._due:
            self._stats.late += 1
        elif position in self._held:
            self._stats.doubled += 1
        else:
            self._held[position] = packet

    def ready(self) -> Iterator[Packet]:
        """Take the packets that can be played now."""
        while self._held and self._due is not None:
            packet = self._held.pop(self._due, None)
            if packet is not None:
                self._due += 1
                yield packet
            elif len(self._held) >= self._depth:
                self._skip()
            else:
                return

    def drain(self) -> Iterator[Packet]:
        """Take everything that is left; the stream is over."""
        while self._held:
            self._skip()
            yield from self.ready()

    def _skip(self) -> None:
        """Give up what is missing before the next packet that is there."""
        assert self._due is not None
        following = min(self._held)
        self._stats.lost += following - self._due
        self._due = following
