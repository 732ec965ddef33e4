"""The status page."""

from __future__ import annotations

from .courier import Courier
from .delivery import Fate


def board(courier: Courier, now: float) -> str:
    """Counts of deliveries, and a line for each host."""
    counts = ", ".join(f"{courier.queue.count(fate)} {fate.value}" for fate in Fate)
    lines = [counts]
    for host, breaker in courier.hosts.items():
        left = "" if breaker.until is None else f" for {max(breaker.until - now, 0.0):.0f} s"
        lines.append(f"{host}: {breaker.state.value}{left}")
    return "\n".join(lines)
