"""What a role may do, with everything that it includes."""

from __future__ import annotations

from .policy import Policy


class Resolver:
    """Answers questions about one policy, and remembers the answers while the policy stays the same."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._version = policy.version
        self._known: dict[str, frozenset[str]] = {}

    def effective(self, name: str) -> frozenset[str]:
        """All permissions of a role: its own and those of the roles that it includes, at any depth.

        Raises:
            UnknownRole: the policy has no such role.
        """
        if self._version != self._policy.version:
            self._known.clear()
            self._version = self._policy.version
        return self._collect(name, set())

    def allows(self, name: str, permission: str) -> bool:
        """Whether a role has a permission."""
        return permission in self.effective(name)

    def allows_any(self, names: list[str], permission: str) -> bool:
        """Whether somebody who holds several roles has a permission."""
        return any(self.allows(name, permission) for name in names)

    def inherited(self, name: str) -> frozenset[str]:
        """The permissions that a role has only because it includes others."""
        return self.effective(name) - self._policy.role(name).grants

    def _collect(self, name: str, visited: set[str]) -> frozenset[str]:
        if name in self._known:
            return self._known[name]
        if name in visited:
            return frozenset()
        visited.add(name)
        role = self._policy.role(name)
        permissions = set(role.grants)
        for other in role.includes:
            permissions |= self._collect(other, visited)
        self._known[name] = frozenset(permissions)
        return self._known[name]
