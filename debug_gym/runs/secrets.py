"""Keys and passwords among a run's settings, found by how they are usually given: the settings are stored."""

import re
from collections.abc import Mapping
from typing import Any

_NAME = r"(?:[\w-]*[_-])?(?:api[_-]?key|password|secret|token)"
_OPTION = re.compile(_NAME, re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^/?#\s]*@|\w+://[^/?#\s]*:[^/?#\s]*@", re.IGNORECASE)
_COMMAND = re.compile(
    rf"(?:^|[?&\s]){_NAME}=\S|\s-{{1,2}}{_NAME}\s+[^-\s]|[?&](?:access_?)?key=\S", re.IGNORECASE
)


def secret_option(options: Mapping[str, Any]) -> str | None:
    """The first option, here or in a mapping among them, that a secret is given by: by its name, or in its
    value, if that is an address with a password."""
    for name, value in options.items():
        if _OPTION.fullmatch(name) or (isinstance(value, str) and _ADDRESS.match(value)):
            return name
        if isinstance(value, Mapping) and (inner := secret_option(value)) is not None:
            return f"{name}.{inner}"
    return None


def holds_secret(text: str) -> bool:
    """Whether an address or a command line has a password, key or token in it."""
    return bool(_ADDRESS.search(text) or _COMMAND.search(text))
