"""Whose a container or a pod is: it outlives its gym only by accident, and is removed then."""

import os
from pathlib import Path


def owner() -> str:
    """This process, as a label names it: what its pid counts in (boot and pid namespace; hosts may share
    names), the pid, and the time of its start, since pids come again."""
    return f"{_realm()}:{os.getpid()}:{_started(os.getpid())}"


def is_orphan(label: str) -> bool:
    """Whether that was a process which could be seen from here and has ended."""
    realm, process, started = [*label.split(":"), "", ""][:3]
    return realm == _realm() and process.isdigit() and _started(int(process)) != started


def _realm() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}-{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:  # no Linux: then no label is like another
        return f"unknown-{os.getpid()}"


def _started(pid: int) -> str:
    """When a process began, in the kernel's ticks; empty: there is none, or no ``/proc``."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
