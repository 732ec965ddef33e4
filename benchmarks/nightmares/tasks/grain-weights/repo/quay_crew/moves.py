"""What a crew does with grain."""

from __future__ import annotations

from typing import Any, Generator

from .gate import behind
from .shed import Shed


def deliver(shed: Shed, grain: str, tons: int) -> Generator[Any, Any, int]:
    """Bring grain into a shed. Returns what lies there afterwards."""
    return (yield from behind(shed.gate, shed.change(grain, tons)))


def load(shed: Shed, grain: str, tons: int) -> Generator[Any, Any, int]:
    """Take grain out of a shed onto a ship. Returns what is left."""
    return (yield from behind(shed.gate, shed.change(grain, -tons)))


def move(source: Shed, target: Shed, grain: str, tons: int) -> Generator[Any, Any, int]:
    """Carry grain from one shed to another. Returns what lies in the second one afterwards."""
    yield from load(source, grain, tons)
    return (yield from deliver(target, grain, tons))
