"""All devices that we know of, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator


@dataclass(frozen=True)
class Alarm:
    """A value beyond a limit."""

    name: str
    value: float
    limit: float


@dataclass
class Device:
    """A pump or a gate, with the range in which its values should be if it is watched."""

    name: str
    watched: bool = False
    low: float | None = None
    high: float | None = None
    online: bool = False
    samples: int = 0
    last: float | None = None

    def exceeded(self, value: float) -> float | None:
        """The limit that a value breaks, if any."""
        if self.low is not None and value < self.low:
            return self.low
        if self.high is not None and value > self.high:
            return self.high
        return None


class Registry:
    """The devices, whether they are watched or only heard of, and the alarms that they gave."""

    def __init__(self) -> None:
        self._devices: dict[str, Device] = {}
        self.alarms: list[Alarm] = []

    def __len__(self) -> int:
        return len(self._devices)

    def __iter__(self) -> Iterator[Device]:
        return iter(sorted(self._devices.values(), key=lambda device: device.name))

    def __contains__(self, name: Any) -> bool:
        return self._key(name) in self._devices

    @staticmethod
    def _key(name: Any) -> str:
        return str(name).strip().lower()

    def device(self, name: Any) -> Device:
        """The device of that name; it is entered if nobody has heard of it."""
        key = self._key(name)
        if key not in self._devices:
            self._devices[key] = Device(key)
        return self._devices[key]

    def watch(self, name: Any, low: float | None = None, high: float | None = None) -> Device:
        """Raise alarms when a device leaves a range. A side that is None is open."""
        device = self.device(name)
        device.watched, device.low, device.high = True, low, high
        return device

    def online(self, name: Any) -> None:
        """A device has come up."""
        self.device(name).online = True

    def offline(self, name: Any) -> None:
        """A device has gone, or cannot be reached."""
        self.device(name).online = False

    def record(self, name: Any, value: float) -> None:
        """Take in a value; it may give an alarm."""
        device = self.device(name)
        device.samples += 1
        device.last = value
        limit = device.exceeded(value)
        if limit is not None:
            self.alarms.append(Alarm(device.name, value, limit))
