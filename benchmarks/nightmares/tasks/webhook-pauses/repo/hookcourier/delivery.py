"""One webhook on its way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import urlsplit


class Fate(Enum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass
class Delivery:
    """An event for a URL. ``due`` is when to try next."""

    number: int
    url: str
    event: dict[str, Any]
    due: float = 0.0
    attempts: int = 0
    fate: Fate = Fate.WAITING
    reason: str = ""

    @property
    def host(self) -> str:
        """The host that the delivery goes to, with its port if it has one."""
        return urlsplit(self.url).netloc.lower()
