"""Whose containers are whose, and the end of those whose gym has ended.

A sandbox's container ends with its gym by itself. What can be left is what the daemon could not tidy, since
it was killed itself, and a container in which an image was being prepared.
"""

from typing import Any

from debug_gym.sandbox.docker.client import APIError, NotFound
from debug_gym.sandbox.docker.daemon import LABEL, OWNER, asking
from debug_gym.sandbox.owners import is_orphan


def remove_orphans(client: Any) -> int:
    """Remove containers of gyms on this machine that have ended; give their number."""
    removed = 0
    with asking("the list of containers"):
        for container in client.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True):
            ours = container.labels[LABEL] in {"sandbox", "preparing"}  # not somebody's of a prepared image
            if ours and is_orphan(container.labels.get(OWNER, "")):
                removed += _remove(container)
    return removed


def _remove(container: Any) -> bool:
    try:
        container.remove(force=True)
    except NotFound:  # the daemon was faster
        return False
    except APIError as error:
        if error.status_code != 409:  # it is being removed already
            raise
        return False
    return True
