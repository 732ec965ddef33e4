"""Isolated places where a task's code runs."""

from debug_gym.sandbox.base import (
    Backend,
    Changes,
    DebugReply,
    ExecResult,
    Guarantees,
    Probe,
    Sandbox,
    Snapshot,
    Stop,
    TestRun,
)

__all__ = [
    "Backend",
    "Changes",
    "DebugReply",
    "ExecResult",
    "Guarantees",
    "Probe",
    "Sandbox",
    "Snapshot",
    "Stop",
    "TestRun",
]
