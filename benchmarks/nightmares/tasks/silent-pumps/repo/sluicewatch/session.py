"""One connection after another to a gateway."""

from __future__ import annotations

from .frames import Frame, FrameReader
from .payloads import read_announce, read_bye, read_roster, read_sample
from .registry import Registry


class Session:
    """Follows a gateway's stream and tells the registry what happens.

    Attributes:
        unknown: samples that came under a number that nobody had announced.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._reader = FrameReader()
        self._names: dict[int, str] = {}
        self.unknown = 0

    def feed(self, data: bytes) -> int:
        """Handle a piece of the stream. Returns the number of frames that it completed."""
        frames = 0
        for frame in self._reader.feed(data):
            self._handle(frame)
            frames += 1
        return frames

    def lost(self) -> None:
        """The connection broke: nobody can be reached, and numbers mean nothing any more."""
        for name in self._names.values():
            self._registry.offline(name)
        self._names.clear()
        self._reader = FrameReader()

    def _handle(self, frame: Frame) -> None:
        if frame.kind == "A":
            number, name = read_announce(frame.payload)
            self._enter(number, name)
        elif frame.kind == "R":
            for number, name in read_roster(frame.payload).items():
                self._enter(number, name)
        elif frame.kind == "S":
            number, value = read_sample(frame.payload)
            if number in self._names:
                self._registry.record(self._names[number], value)
            else:
                self.unknown += 1
        elif frame.kind == "B":
            name = self._names.pop(read_bye(frame.payload), None)
            if name is not None:
                self._registry.offline(name)

    def _enter(self, number: int, name: str) -> None:
        self._names[number] = name
        self._registry.online(name)
