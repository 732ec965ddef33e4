"""The list of devices to watch, as the control room keeps it."""

from __future__ import annotations

import json

from .registry import Registry


def load_plan(text: str, registry: Registry) -> int:
    """Watch everything in a plan: a JSON list of objects with ``name``, ``low`` and ``high``.

    Returns the number of devices.

    Raises:
        ValueError: an entry has no name, or a lower limit above the upper one.
    """
    entries = json.loads(text)
    for entry in entries:
        name = entry.get("name")
        low, high = entry.get("low"), entry.get("high")
        if name is None or name == "":
            raise ValueError("a device of the plan has no name")
        if low is not None and high is not None and low > high:
            raise ValueError(f"{name}: the lower limit is above the upper one")
        registry.watch(name, low, high)
    return len(entries)
