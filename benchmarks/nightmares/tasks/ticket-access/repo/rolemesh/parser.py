"""Read a policy from its text form."""

from __future__ import annotations

import re

from .policy import Policy

_NAME = re.compile(r"[a-z][a-z0-9_-]*\Z")
_PERMISSION = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)+\Z")


class PolicySyntaxError(ValueError):
    """A line of a policy cannot be understood."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


def parse_policy(text: str) -> Policy:
    """Parse a policy. Roles may be included before they are defined.

    Raises:
        PolicySyntaxError: with the number of the first bad line.
    """
    policy = Policy()
    pending: list[tuple[int, str, str]] = []
    current = None
    for number, raw in enumerate(text.splitlines(), start=1):
        words = raw.split("#", 1)[0].split()
        if not words:
            continue
        if len(words) != 2:
            raise PolicySyntaxError(number, f"expected two words, found {len(words)}")
        keyword, argument = words
        if keyword == "role":
            _check(_NAME, argument, number, "role name")
            if argument in policy:
                raise PolicySyntaxError(number, f"role {argument!r} is defined twice")
            current = policy.add(argument).name
        elif current is None:
            raise PolicySyntaxError(number, f"{keyword!r} before the first role")
        elif keyword == "grant":
            _check(_PERMISSION, argument, number, "permission")
            policy.grant(current, argument)
        elif keyword == "include":
            pending.append((number, current, argument))
        else:
            raise PolicySyntaxError(number, f"unknown keyword {keyword!r}")
    for number, name, other in pending:
        if other not in policy:
            raise PolicySyntaxError(number, f"role {name!r} includes unknown role {other!r}")
        policy.include(name, other)
    return policy


def _check(pattern: re.Pattern[str], word: str, number: int, what: str) -> None:
    if not pattern.match(word):
        raise PolicySyntaxError(number, f"{word!r} is not a valid {what}")
