"""The protocol between the host and the runtime: frames of JSON and raw bytes over a socket or two pipes.

A frame is two big-endian 32-bit lengths, then that many bytes of UTF-8 JSON (an object), then that many raw
bytes (the blob: file contents go there, so that nothing has to be escaped). The host sends
``{"op": name, ...}``; the runtime answers each request with exactly one frame, which holds ``error``
(``[type, message]``) if the request failed. Program output never travels on this channel.
"""

from __future__ import annotations

import json
import os
import struct
from typing import Any, Tuple

HEADER = struct.Struct(">II")
MAX_FRAME = 1 << 30

_encode = json.JSONEncoder(separators=(",", ":")).encode
Frame = Tuple["dict[str, Any]", bytes]


def encode(message: dict[str, Any], blob: bytes = b"") -> bytes:
    """The bytes of one frame. Text that is not valid Unicode (lone surrogates) survives the way."""
    text = _encode(message).encode("utf-8", "surrogatepass")
    return HEADER.pack(len(text), len(blob)) + text + blob


def decode(text: bytes) -> dict[str, Any]:
    """The JSON part of a frame. Raises ``ValueError`` if it is not an object."""
    message = json.loads(text.decode("utf-8", "surrogatepass"))
    if not isinstance(message, dict):
        raise ValueError("not an object")
    return message


class Channel:
    """The runtime's end: blocking reads and writes of whole frames. ``EOFError`` when the host is gone."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self.read_fd, self.write_fd = read_fd, write_fd

    def _read(self, size: int) -> bytes:
        parts = []
        while size:
            part = os.read(self.read_fd, min(size, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def receive(self) -> Frame:
        """Wait for the next frame."""
        text, blob = HEADER.unpack(self._read(HEADER.size))
        if text + blob > MAX_FRAME:
            raise EOFError("a frame is too large")
        return decode(self._read(text)), self._read(blob)

    def send(self, message: dict[str, Any], blob: bytes = b"") -> None:
        """Write one frame whole."""
        rest = memoryview(encode(message, blob))
        while rest:
            rest = rest[os.write(self.write_fd, rest) :]
