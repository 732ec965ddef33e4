"""The broker: queues of jobs, and leases on them. Durations are seconds."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import count
from typing import Any

from .clock import Clock
from .leases import Lease, LeaseTable

IDLE_POLL = 5.0
"""How long a worker should wait before it asks an empty queue again."""


class Refused(Exception):
    """A request cannot be granted: no such job, or a lease that is not (or no longer) held."""


@dataclass
class Job:
    """One piece of work."""

    id: int
    queue: str
    body: Any
    attempts: int = 0
    done: bool = False


class Broker:
    """Keeps jobs until somebody has finished them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ids = count(1)
        self._jobs: dict[int, Job] = {}
        self._ready: dict[str, list[tuple[float, int]]] = {}
        self._leases = LeaseTable()

    def put(self, queue: str, body: Any, delay: float = 0.0) -> int:
        """Add a job that can be claimed after a delay. Returns its number."""
        job = Job(next(self._ids), queue, body)
        self._jobs[job.id] = job
        self._enqueue(job, delay)
        return job.id

    def claim(self, queue: str, lease: float = 30.0) -> tuple[Job, Lease] | None:
        """The next job of a queue with a lease on it, or None if there is nothing to do."""
        self._reap()
        ready = self._ready.get(queue, [])
        if not ready or ready[0][0] > self._clock.now():
            return None
        _, number = heapq.heappop(ready)
        job = self._jobs[number]
        job.attempts += 1
        token = f"{job.id}-{job.attempts}"
        return job, self._leases.grant(job.id, token, self._clock.now() + lease)

    def next_ready(self, queue: str) -> float:
        """How long until asking again makes sense."""
        ready = self._ready.get(queue, [])
        wait = ready[0][0] - self._clock.now() if ready else IDLE_POLL
        return min(max(wait, 0.0), IDLE_POLL)

    def renew(self, number: int, token: str, extend: float = 30.0) -> float:
        """Keep a job for longer. Returns what is left of the lease."""
        lease = self._held(number, token)
        self._leases.prolong(lease, self._clock.now() + extend)
        return lease.expires - self._clock.now()

    def release(self, number: int, token: str, delay: float = 0.0) -> None:
        """Give a job back, for somebody else to claim after a delay."""
        self._held(number, token)
        self._leases.drop(number)
        self._enqueue(self._jobs[number], delay)

    def finish(self, number: int, token: str) -> None:
        """The job is done."""
        self._held(number, token)
        self._leases.drop(number)
        self._jobs[number].done = True

    def status(self, number: int) -> tuple[str, float]:
        """``waiting``, ``leased`` or ``done``, and what is left of the lease."""
        self._reap()
        if number not in self._jobs:
            raise Refused(f"there is no job {number}")
        lease = self._leases.get(number)
        if lease is not None:
            return "leased", lease.expires - self._clock.now()
        return ("done" if self._jobs[number].done else "waiting"), 0.0

    def _held(self, number: int, token: str) -> Lease:
        self._reap()
        lease = self._leases.get(number)
        if lease is None or lease.token != token:
            raise Refused(f"job {number} is not leased under {token!r}")
        return lease

    def _enqueue(self, job: Job, delay: float) -> None:
        ready = self._ready.setdefault(job.queue, [])
        heapq.heappush(ready, (self._clock.now() + delay, job.id))

    def _reap(self) -> None:
        for lease in self._leases.expired(self._clock.now()):
            self._enqueue(self._jobs[lease.job], 0.0)
