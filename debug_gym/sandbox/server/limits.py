"""What one sandbox may use, as limits of its processes."""

from __future__ import annotations

import resource
from typing import Any

_HELPERS = 3
"""Processes of ours: the runtime, the shell, and the interpreter that waits for the next test run."""


def set_limits(limits: dict[str, Any]) -> None:
    """Put the resource limits on this process and all that it starts."""
    with open("/proc/self/statm") as file:
        ours = int(file.read().split()[5]) * resource.getpagesize()  # what is preloaded, every fork has too
    wanted = {
        resource.RLIMIT_DATA: limits["memory"] + ours,
        resource.RLIMIT_NPROC: limits["processes"] + _HELPERS,
        resource.RLIMIT_NOFILE: 4096,
        resource.RLIMIT_SIGPENDING: 4096,
    }
    for kind, value in wanted.items():
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))
