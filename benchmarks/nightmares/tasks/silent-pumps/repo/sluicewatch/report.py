"""The overview on the control room's wall."""

from __future__ import annotations

from .registry import Device, Registry


def overview(registry: Registry) -> str:
    """A line for each watched device, and the number of the others that are online."""
    watched = [device for device in registry if device.watched]
    others = sum(device.online for device in registry if not device.watched)
    lines = [_line(device) for device in watched]
    lines.append(f"{len(registry.alarms)} alarms, {others} other devices online")
    return "\n".join(lines)


def _line(device: Device) -> str:
    state = "online" if device.online else "offline"
    last = "-" if device.last is None else f"{device.last:.3f}"
    return f"{device.name:16} {state:8} {last:>9} {device.samples:>6}"
