"""Say through which roles a permission reaches a role."""

from __future__ import annotations

from collections import deque

from .policy import Policy


def explain(policy: Policy, name: str, permission: str) -> list[str]:
    """The shortest chain of includes from a role to one that grants the permission itself.

    Returns an empty list if the role does not have the permission.
    """
    came_from: dict[str, str | None] = {policy.role(name).name: None}
    queue = deque([name])
    while queue:
        current = queue.popleft()
        role = policy.role(current)
        if permission in role.grants:
            return _chain(came_from, current)
        for other in role.includes:
            if other not in came_from:
                came_from[other] = current
                queue.append(other)
    return []


def _chain(came_from: dict[str, str | None], last: str) -> list[str]:
    chain: list[str] = []
    step: str | None = last
    while step is not None:
        chain.append(step)
        step = came_from[step]
    return chain[::-1]
