"""A line about a receiver, for the log."""

from __future__ import annotations

from .stats import ReceiverStats

_GOOD, _FAIR = 0.001, 0.02


def quality(stats: ReceiverStats) -> str:
    """``good``, ``fair`` or ``poor``, by the share of lost packets."""
    if stats.loss <= _GOOD:
        return "good"
    return "fair" if stats.loss <= _FAIR else "poor"


def summary(stats: ReceiverStats) -> str:
    """All counters in one line."""
    return (
        f"{stats.received} of {stats.expected} packets, lost {stats.lost} ({stats.loss:.1%}), "
        f"late {stats.late}, doubled {stats.doubled}, rejected {stats.rejected}: {quality(stats)}"
    )
