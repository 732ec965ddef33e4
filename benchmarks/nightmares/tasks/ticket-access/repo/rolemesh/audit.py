"""The audit matrix: every role against every permission."""

from __future__ import annotations

from dataclasses import dataclass

from .policy import Policy
from .resolver import Resolver

OWN, INHERITED, NONE = "own", "inherited", ""
_MARKS = {OWN: "X", INHERITED: "x", NONE: "."}


@dataclass(frozen=True)
class AuditMatrix:
    """Rows are roles in the policy's order, columns are permissions in alphabetical order."""

    permissions: tuple[str, ...]
    rows: dict[str, tuple[str, ...]]

    def cell(self, role: str, permission: str) -> str:
        """``own``, ``inherited`` or the empty string."""
        return self.rows[role][self.permissions.index(permission)]

    def holders(self, permission: str) -> list[str]:
        """The roles that have a permission, however they came by it."""
        column = self.permissions.index(permission)
        return [role for role, cells in self.rows.items() if cells[column] != NONE]

    def render(self) -> str:
        """The matrix as text: ``X`` own grant, ``x`` through an included role, ``.`` not at all."""
        width = max((len(role) for role in self.rows), default=0)
        lines = [f"{'':{width}}  {' '.join(self.permissions)}"]
        for role, cells in self.rows.items():
            marks = " ".join(
                f"{_MARKS[cell]:^{len(permission)}}"
                for permission, cell in zip(self.permissions, cells)
            )
            lines.append(f"{role:{width}}  {marks}".rstrip())
        return "\n".join(lines)


def audit(policy: Policy) -> AuditMatrix:
    """Work out the matrix of a policy."""
    resolver = Resolver(policy)
    permissions = tuple(policy.permissions())
    rows: dict[str, tuple[str, ...]] = {}
    for role in policy:
        effective = resolver.effective(role.name)
        rows[role.name] = tuple(
            OWN if permission in role.grants else INHERITED if permission in effective else NONE
            for permission in permissions
        )
    return AuditMatrix(permissions, rows)
