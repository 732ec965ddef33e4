"""The policy: roles, what they grant, and which other roles they include."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterator


class UnknownRole(LookupError):
    """A role is named that the policy does not have."""


@dataclass
class Role:
    """One role. ``includes`` keeps the order in which the policy names them."""

    name: str
    grants: set[str] = field(default_factory=set)
    includes: list[str] = field(default_factory=list)


class Policy:
    """All roles of an organisation, in the order in which they were added.

    ``version`` grows with every change, so that whoever derives something from the policy can tell
    when to derive it again.
    """

    def __init__(self) -> None:
        self._roles: dict[str, Role] = {}
        self.version = 0

    def __iter__(self) -> Iterator[Role]:
        return iter(self._roles.values())

    def __contains__(self, name: str) -> bool:
        return name in self._roles

    def __len__(self) -> int:
        return len(self._roles)

    def role(self, name: str) -> Role:
        try:
            return self._roles[name]
        except KeyError:
            raise UnknownRole(f"there is no role {name!r}") from None

    def add(self, name: str) -> Role:
        """Add a role, or return the one that is already there."""
        if name not in self._roles:
            self._roles[name] = Role(name)
            self.version += 1
        return self._roles[name]

    def grant(self, name: str, permission: str) -> None:
        self.role(name).grants.add(permission)
        self.version += 1

    def revoke(self, name: str, permission: str) -> None:
        """Take back a role's own grant; what it gets from other roles stays."""
        self.role(name).grants.discard(permission)
        self.version += 1

    def include(self, name: str, other: str) -> None:
        """Let a role have everything that another one has."""
        self.role(other)
        includes = self.role(name).includes
        if other not in includes and other != name:
            includes.append(other)
            self.version += 1

    def exclude(self, name: str, other: str) -> None:
        includes = self.role(name).includes
        if other in includes:
            includes.remove(other)
            self.version += 1

    def permissions(self) -> list[str]:
        """Every permission that some role grants, sorted."""
        return sorted({permission for role in self for permission in role.grants})
