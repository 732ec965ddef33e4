"""Who holds which job, and until when."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Iterator


@dataclass
class Lease:
    """A claim on a job. ``expires`` is a moment of the broker's clock."""

    job: int
    token: str
    expires: float


class LeaseTable:
    """The current leases, and a heap of the moments at which to look at them again.

    A renewed lease leaves its old moment in the heap; such a moment is skipped when it comes up.
    """

    def __init__(self) -> None:
        self._leases: dict[int, Lease] = {}
        self._moments: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self._leases)

    def get(self, job: int) -> Lease | None:
        return self._leases.get(job)

    def grant(self, job: int, token: str, expires: float) -> Lease:
        lease = self._leases[job] = Lease(job, token, expires)
        heapq.heappush(self._moments, (expires, job))
        return lease

    def prolong(self, lease: Lease, expires: float) -> None:
        """Let a lease end later. An earlier end is ignored."""
        if expires > lease.expires:
            lease.expires = expires
            heapq.heappush(self._moments, (expires, lease.job))

    def drop(self, job: int) -> None:
        self._leases.pop(job, None)

    def expired(self, now: float) -> Iterator[Lease]:
        """Take the leases that have run out from the table."""
        while self._moments and self._moments[0][0] <= now:
            _, job = heapq.heappop(self._moments)
            lease = self._leases.get(job)
            if lease is not None and lease.expires <= now:
                del self._leases[job]
                yield lease
