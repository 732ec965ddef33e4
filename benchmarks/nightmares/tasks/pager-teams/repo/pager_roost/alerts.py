"""Alerts and how bad they are."""

import enum
from dataclasses import dataclass


class Severity(enum.IntEnum):
    INFO = 0
    WARNING = 1
    ERROR = 2
    CRITICAL = 3


@dataclass(frozen=True)
class Alert:
    """Something that a monitor saw."""

    number: int
    topic: str
    severity: Severity
    text: str
