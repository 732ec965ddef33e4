"""Role-based permissions for teams that include one another."""

from .audit import AuditMatrix, audit
from .explain import explain
from .parser import PolicySyntaxError, parse_policy
from .policy import Policy, Role, UnknownRole
from .resolver import Resolver

__all__ = [
    "AuditMatrix",
    "Policy",
    "PolicySyntaxError",
    "Resolver",
    "Role",
    "UnknownRole",
    "audit",
    "explain",
    "parse_policy",
]
