"""What lies where."""

from __future__ import annotations

from typing import Iterable

from .shed import Shed


def manifest(sheds: Iterable[Shed]) -> str:
    """A line for each kind of grain in each shed."""
    return "\n".join(f"{shed.name}: {shed.tons(grain)} t {grain}" for shed in sheds for grain in shed.kinds())
