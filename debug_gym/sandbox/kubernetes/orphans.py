"""Pods whose gym has ended, and pods that have."""

import os
import socket
from functools import partial
from pathlib import Path

from debug_gym.sandbox.kubernetes.cluster import Cluster
from debug_gym.sandbox.kubernetes.pod import LABEL, MANAGER, OWNER


def owner() -> str:
    """This process: host, pid and the time of its start, since pids come again."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def remove_orphans(cluster: Cluster) -> int:
    """Remove pods of ours that have ended, and those of gyms on this machine that have; give their number.

    Raises:
        ClusterError: the cluster refuses, or is gone.
    """
    found = partial(cluster.core.list_namespaced_pod, label_selector=f"{LABEL}={MANAGER}")
    pods = cluster.ask("the list of pods", found)
    removed = 0
    for item in pods.items if pods is not None else ():
        label = (item.metadata.annotations or {}).get(OWNER, "")
        if item.status.phase in {"Succeeded", "Failed"} or _is_orphan(label):
            delete = partial(cluster.core.delete_namespaced_pod, grace_period_seconds=0)
            removed += cluster.ask("a pod that is left", delete, item.metadata.name) is not None
    return removed


def _is_orphan(label: str) -> bool:
    host, process, started = [*label.split(":"), "", ""][:3]
    return host == socket.gethostname() and process.isdigit() and _started(int(process)) != started


def _started(pid: int) -> str:
    """When a process began, in the kernel's ticks; empty: there is none, or no ``/proc``."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
