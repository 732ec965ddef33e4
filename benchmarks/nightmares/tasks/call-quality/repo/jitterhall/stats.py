"""Counters of a receiver."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class ReceiverStats:
    """What has come so far.

    ``lost`` counts packets that were given up, ``late`` those that came too late to be played, ``doubled``
    those that came more than once, ``rejected`` datagrams that were no packets.
    """

    received: int = 0
    rejected: int = 0
    lost: int = 0
    late: int = 0
    doubled: int = 0
    first: int | None = None
    last: int | None = None

    def saw(self, position: int) -> None:
        """A packet of this position has come."""
        self.received += 1
        if self.first is None:
            self.first = position
        self.last = position if self.last is None else max(self.last, position)

    @property
    def expected(self) -> int:
        """How many packets were sent from the first to the last one that came."""
        return 0 if self.first is None or self.last is None else self.last - self.first + 1

    @property
    def loss(self) -> float:
        """The share of packets that never made it to the ear, 0 to 1."""
        return self.lost / self.expected if self.expected else 0.0
