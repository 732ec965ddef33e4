"""Pods whose gym has ended, and pods that have."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from debug_gym.sandbox.kubernetes.cluster import Cluster
from debug_gym.sandbox.kubernetes.pod import LABEL, LONGEST, MANAGER, OWNER
from debug_gym.sandbox.owners import is_orphan

OLD = timedelta(seconds=LONGEST)


def remove_orphans(cluster: Cluster) -> int:
    """Remove pods of gyms on this machine that have ended, and pods of ours that ended long ago; give their
    number.

    Raises:
        ClusterError: the cluster refuses, or is gone.
    """
    found = partial(cluster.core.list_namespaced_pod, label_selector=f"{LABEL}={MANAGER}")
    pods = cluster.ask("the list of pods", found)
    removed = 0
    for item in pods.items if pods is not None else ():
        label = (item.metadata.annotations or {}).get(OWNER, "")
        if is_orphan(label) or (item.status.phase in {"Succeeded", "Failed"} and _is_old(item)):
            delete = partial(cluster.core.delete_namespaced_pod, grace_period_seconds=0)
            removed += cluster.ask("a pod that is left", delete, item.metadata.name) is not None
    return removed


def _is_old(item: Any) -> bool:
    """Whether its gym would have removed it by now."""
    began = item.status.start_time or item.metadata.creation_timestamp
    return began is not None and datetime.now(UTC) - began > OLD
