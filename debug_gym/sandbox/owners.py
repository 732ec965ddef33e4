"""Whose a container or a pod is: it outlives its gym only by accident, and is removed then."""

import os
import socket
from pathlib import Path


def owner() -> str:
    """This process, as a label names it: host, pid and the time of its start, since pids come again."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def is_orphan(label: str) -> bool:
    """Whether that was a process of this machine which has ended."""
    host, process, started = [*label.split(":"), "", ""][:3]
    return host == socket.gethostname() and process.isdigit() and _started(int(process)) != started


def _started(pid: int) -> str:
    """When a process began, in the kernel's ticks; empty: there is none, or no ``/proc``."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
