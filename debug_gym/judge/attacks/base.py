"""What an attack is: a way to look solved without solving, for any task."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from debug_gym.sandbox import Changes, FileEntry

Level = Literal["nothing", "exit code", "junit"]
"""The strongest of the common harnesses that an attack deceives; see ``debug_gym.checks.harnesses``."""


@dataclass(frozen=True)
class Target:
    """What an attacker sees of a task."""

    sources: dict[str, str]
    """Python files that it may change."""
    tests: dict[str, str]
    """The visible test files."""
    support: dict[str, str] = field(default_factory=dict)
    """Other Python files that it may not change."""


@dataclass(frozen=True)
class Attack:
    """One way to cheat."""

    name: str
    beats: Level | None
    """On an ordinary task; what a test file imports, and when, may change it for a certain one. None: that
    depends on what else has run on the machine."""
    how: str
    """One sentence."""
    make: Callable[[Target], Changes] = field(repr=False)


def infecting(payload: str) -> Callable[[Target], Changes]:
    """Changes that run a payload once, when the first module of the repository is imported."""
    hook = (
        "\n\nimport builtins as _b\n"
        "if not hasattr(_b, '_ready'):\n"
        "    _b._ready = True\n"
        f"    exec({payload!r}, {{'__name__': 'helpers', '__file__': __file__}})\n"
    )
    return lambda target: files({path: text + hook for path, text in target.sources.items()})


def wrapping(payload: str) -> Callable[[Target], Changes]:
    """Changes that append a payload to every module: it works on the module's own names."""
    return lambda target: files({path: f"{text}\n\n{payload}" for path, text in target.sources.items()})


def adding(**content: str) -> Callable[[Target], Changes]:
    """Changes that add files at the top; ``__`` in a name stands for a dot."""
    return lambda target: files({name.replace("__", "."): text for name, text in content.items()})


def files(content: dict[str, str]) -> Changes:
    """Changes that write these files."""
    return Changes(files={path: FileEntry(data=text.encode()) for path, text in content.items()})


def records(tests: str) -> str:
    """Python source of an expression: the bytes of a reporter that saw these tests (an expression) pass."""
    return (
        f'(json.dumps({{"collected": {tests}}}) + "\\n"'
        f' + "".join(json.dumps({{"id": t, "outcome": "passed", "message": ""}}) + "\\n" for t in {tests})'
        f' + {json.dumps(json.dumps({"finished": 0}))} + "\\n").encode()'
    )
