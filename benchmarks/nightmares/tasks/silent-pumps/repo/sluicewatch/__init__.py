"""Watches the pumps and gates of a waterworks through a field gateway."""

from .frames import Frame, FrameError, FrameReader
from .plan import load_plan
from .registry import Alarm, Device, Registry
from .report import overview
from .session import Session

__all__ = [
    "Alarm",
    "Device",
    "Frame",
    "FrameError",
    "FrameReader",
    "Registry",
    "Session",
    "load_plan",
    "overview",
]
