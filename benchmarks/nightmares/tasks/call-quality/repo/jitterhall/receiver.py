"""Datagrams in, audio out."""

from __future__ import annotations

from .packets import Packet, PacketError
from .playout import PlayoutBuffer
from .sequence import SequenceTracker
from .stats import ReceiverStats


class Receiver:
    """One stream."""

    def __init__(self, depth: int = 4) -> None:
        self.stats = ReceiverStats()
        self._tracker = SequenceTracker()
        self._buffer = PlayoutBuffer(depth, self.stats)

    @property
    def waiting(self) -> int:
        """How many packets are held back because an earlier one is missing, or not pulled yet."""
        return len(self._buffer)

    def push(self, datagram: bytes) -> None:
        """Take in what came from the network, whatever it is."""
        try:
            packet = Packet.decode(datagram)
        except PacketError:
            self.stats.rejected += 1
            return
        position = self._tracker.position(packet.sequence)
        self.stats.saw(position)
        self._buffer.add(position, packet)

    def pull(self) -> list[bytes]:
        """The payloads that can be played now, in order."""
        return [packet.payload for packet in self._buffer.ready()]

    def finish(self) -> list[bytes]:
        """The payloads that are left at the end of the stream."""
        return [packet.payload for packet in self._buffer.drain()]
