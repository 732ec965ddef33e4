"""Pods whose gym has ended, and pods that have."""

from functools import partial

from debug_gym.sandbox.kubernetes.cluster import Cluster
from debug_gym.sandbox.kubernetes.pod import LABEL, MANAGER, OWNER
from debug_gym.sandbox.owners import is_orphan


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
        if item.status.phase in {"Succeeded", "Failed"} or is_orphan(label):
            delete = partial(cluster.core.delete_namespaced_pod, grace_period_seconds=0)
            removed += cluster.ask("a pod that is left", delete, item.metadata.name) is not None
    return removed
