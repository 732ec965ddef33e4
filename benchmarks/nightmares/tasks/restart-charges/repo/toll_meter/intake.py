"""Works on many events at the same time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Iterable

from .accounts import LimitExceeded
from .events import Event
from .meter import Meter
from .prices import UnknownPrice


@dataclass
class Outcome:
    accepted: int = 0
    rejected: list[str] = field(default_factory=list)


class Intake:
    """Feeds a meter with at most ``width`` events in work."""

    def __init__(self, meter: Meter, width: int = 50) -> None:
        self.meter = meter
        self.width = width

    async def run(self, events: Iterable[Event]) -> Outcome:
        """Charge all events; the rejected ones are listed in the order of the events."""
        gate = asyncio.Semaphore(self.width)

        async def work(event: Event) -> None:
            async with gate:
                await self.meter.record(event)

        results = await asyncio.gather(*(work(event) for event in events), return_exceptions=True)
        outcome = Outcome()
        for result in results:
            if isinstance(result, (UnknownPrice, LimitExceeded)):
                outcome.rejected.append(str(result))
            elif isinstance(result, BaseException):
                raise result
            else:
                outcome.accepted += 1
        return outcome
