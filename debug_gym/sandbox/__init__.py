"""Isolated places where a task's code runs."""

from debug_gym.sandbox.base import Backend, FetchingBackend, Guarantees, Probe
from debug_gym.sandbox.client import Sandbox
from debug_gym.sandbox.results import (
    Breakpoint,
    Changes,
    DebugReply,
    DebugSettings,
    DirEntry,
    ExecResult,
    FileEntry,
    Match,
    SearchResult,
    Snapshot,
    Stop,
    TestRun,
    TraceRow,
    TraceRun,
)

__all__ = [
    "Backend",
    "Breakpoint",
    "Changes",
    "DebugReply",
    "DebugSettings",
    "DirEntry",
    "ExecResult",
    "FetchingBackend",
    "FileEntry",
    "Guarantees",
    "Match",
    "Probe",
    "Sandbox",
    "SearchResult",
    "Snapshot",
    "Stop",
    "TestRun",
    "TraceRow",
    "TraceRun",
]
