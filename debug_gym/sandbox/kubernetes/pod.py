"""What a pod of ours is: one container that waits for a runtime to be started in it, and ends after it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from debug_gym.errors import ConfigError
from debug_gym.task import Limits

TEMPLATE = "DEBUG_GYM_KUBERNETES_POD"
"""Environment variable: a YAML file with what your cluster wants in a pod beside ours, such as a node
selector, tolerations, pull secrets, a runtime class."""
LABEL = "app.kubernetes.io/managed-by"
MANAGER = "debug-gym"
OWNER = "debug-gym/owner"
"""Annotation: host, process and its start that a pod was made for."""
CONTAINER = "sandbox"
PID_FILE = "/opt/debug-gym/pid"
"""Beside the runtime, where only root writes."""
LONGEST = 86_400
"""Seconds that a pod may live at most."""
UNUSED = 600
"""Seconds after which a pod ends in which no runtime was started."""
CPUS = "2"
CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"]
"""What it takes to hand the repository to the sandbox's user, and to become that user, who has none."""

# The first process of the pod. It collects what the sandbox's processes leave, and ends with the runtime.
WAIT = f"""
for _ in $(seq {UNUSED}); do [ -s {PID_FILE} ] && break; sleep 1; done
runtime=$(cat {PID_FILE}) || exit 1
while [ -d "/proc/$runtime" ]; do sleep 1; done
"""


def manifest(name: str, image: str, limits: Limits, owner: str) -> dict[str, Any]:
    """The pod of a sandbox, as the cluster wants it.

    Raises:
        ConfigError: the file that ``$DEBUG_GYM_KUBERNETES_POD`` names does not hold part of a pod.
    """
    ours = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {LABEL: MANAGER}, "annotations": {OWNER: owner}},
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": LONGEST,
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "hostname": "sandbox",
            "dnsPolicy": "None",
            "dnsConfig": {"nameservers": ["127.0.0.1"]},
            "containers": [
                {
                    "name": CONTAINER,
                    "image": image,
                    "command": ["/bin/bash", "-c", WAIT],
                    "resources": {
                        "limits": {
                            "cpu": CPUS,
                            "memory": str(limits.memory),
                            "ephemeral-storage": str(limits.disk),
                        },
                        "requests": {
                            "cpu": "100m",
                            "memory": str(limits.memory // 4),
                            "ephemeral-storage": "0",
                        },
                    },
                    "securityContext": {
                        "runAsUser": 0,
                        "runAsGroup": 0,
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"], "add": CAPABILITIES},
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                }
            ],
        },
    }
    merged: dict[str, Any] = _merged(ours, _template())
    return merged


def fence() -> dict[str, Any]:
    """The policy that keeps the network from all our pods."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": MANAGER, "labels": {LABEL: MANAGER}},
        "spec": {"podSelector": {"matchLabels": {LABEL: MANAGER}}, "policyTypes": ["Ingress", "Egress"]},
    }


def _template() -> dict[str, Any]:
    path = os.environ.get(TEMPLATE)
    if not path:
        return {}
    try:
        found = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{TEMPLATE} names {path}, which cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise ConfigError(f"{TEMPLATE} names {path}, which holds no part of a pod such as  spec: ...")
    return found


def _merged(ours: Any, theirs: Any) -> Any:
    """``theirs`` laid over ``ours``: mappings key by key, the one container of ours too."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        both = {key: _merged(ours[key], theirs[key]) for key in ours.keys() & theirs.keys()}
        return {**ours, **theirs, **both}
    if isinstance(ours, list) and isinstance(theirs, list) and ours and isinstance(ours[0], Mapping):
        return [_merged(ours[0], theirs[0]), *theirs[1:]] if theirs else ours
    return theirs
