"""Packets as they travel."""

from __future__ import annotations

import struct
from dataclasses import dataclass

MAGIC = 0xA7
_HEADER = struct.Struct("!BBHI")


class PacketError(ValueError):
    """A datagram is not one of our packets."""


@dataclass(frozen=True)
class Packet:
    """A piece of audio. ``sequence`` has 16 bits, ``timestamp`` (samples since the start) 32."""

    sequence: int
    timestamp: int
    payload: bytes
    codec: int = 0

    def encode(self) -> bytes:
        header = _HEADER.pack(
            MAGIC, self.codec, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF
        )
        return header + self.payload

    @classmethod
    def decode(cls, data: bytes) -> Packet:
        """Read a datagram.

        Raises:
            PacketError: too short, or without the magic byte.
        """
        if len(data) < _HEADER.size:
            raise PacketError(f"{len(data)} bytes are too few for a header")
        magic, codec, sequence, timestamp = _HEADER.unpack_from(data)
        if magic != MAGIC:
            raise PacketError(f"magic byte {magic:#04x}")
        return cls(sequence, timestamp, data[_HEADER.size :], codec)
