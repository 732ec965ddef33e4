"""What is inside of the frames."""

from __future__ import annotations

import struct

from .frames import FrameError

_NUMBER = struct.Struct("!H")
_SAMPLE = struct.Struct("!Hi")


def read_announce(payload: bytes) -> tuple[int, str]:
    """The number and the name of a device."""
    if len(payload) <= _NUMBER.size:
        raise FrameError("an announcement needs a number and a name")
    (number,) = _NUMBER.unpack_from(payload)
    return number, payload[_NUMBER.size :].decode("utf-8")


def read_roster(payload: bytes) -> dict[int, str]:
    """The names of all devices that are up, by their numbers."""
    names = {}
    for line in payload.splitlines():
        number, equals, name = line.partition(b"=")
        if not equals or not number.strip().isdigit():
            raise FrameError(f"bad roster line {line!r}")
        names[int(number)] = name
    return names


def read_sample(payload: bytes) -> tuple[int, float]:
    """The number of a device and the value that it measured."""
    if len(payload) != _SAMPLE.size:
        raise FrameError(f"a sample has {_SAMPLE.size} bytes, this one {len(payload)}")
    number, thousandths = _SAMPLE.unpack(payload)
    return number, thousandths / 1000


def read_bye(payload: bytes) -> int:
    """The number of a device that leaves."""
    if len(payload) != _NUMBER.size:
        raise FrameError("a bye is a number")
    return _NUMBER.unpack(payload)[0]
