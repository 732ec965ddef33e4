"""The breaker of one host."""

from __future__ import annotations

from enum import Enum

from .policy import Policy


class State(Enum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


class Breaker:
    """Decides whether a host may be bothered, by how the last deliveries went."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._state = State.CLOSED
        self._failures = 0
        self._successes = 0
        self._pauses = 0
        self._until = 0.0

    @property
    def state(self) -> State:
        return self._state

    @property
    def until(self) -> float | None:
        """When the present pause ends; None while there is none."""
        return self._until if self._state is State.OPEN else None

    def allows(self, now: float) -> bool:
        """Whether something may be sent to the host. The end of a pause makes the breaker half open."""
        if self._state is State.OPEN and now >= self._until:
            self._enter(State.HALF_OPEN)
        return self._state is not State.OPEN

    def succeeded(self) -> None:
        """The host has answered."""
        if self._state is State.HALF_OPEN:
            self._successes += 1
            if self._successes >= self._policy.trials:
                self._enter(State.CLOSED)
        else:
            self._failures = 0

    def failed(self, now: float) -> None:
        """The host has not answered, or has trouble."""
        self._failures += 1
        if self._state is State.HALF_OPEN or self._failures >= self._policy.threshold:
            self._until = now + self._policy.pause(self._pauses)
            self._pauses += 1
            self._enter(State.OPEN)

    def _enter(self, state: State) -> None:
        self._state = state
