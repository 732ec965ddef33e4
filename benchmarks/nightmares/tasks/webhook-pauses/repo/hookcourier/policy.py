"""How patient we are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """All durations are seconds."""

    retry_delay: float = 10.0
    max_attempts: int = 8
    threshold: int = 3
    cool_down: float = 60.0
    longest_cool_down: float = 1800.0
    trials: int = 2

    def __post_init__(self) -> None:
        for name in ("max_attempts", "threshold", "trials"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        if self.longest_cool_down < self.cool_down:
            raise ValueError("longest_cool_down must not be shorter than cool_down")

    def retry_after(self, attempts: int) -> float:
        """How long to wait after so many failed attempts."""
        return self.retry_delay * 2 ** (attempts - 1)

    def pause(self, outage: int) -> float:
        """How long a breaker stays open for the n-th time in a row, counted from 0."""
        return min(self.cool_down * 2**outage, self.longest_cool_down)
