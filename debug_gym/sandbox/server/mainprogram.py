"""How a fork of the warm interpreter becomes what ``python SCRIPT`` or ``python -m MODULE`` starts."""

from __future__ import annotations

import importlib.util
import os
import sys
import types
from typing import List

from . import warm

OUR_DESCRIPTORS = 900
"""Descriptors from here on are ours: a program that closes or counts its own should not meet them."""

_AT_STARTUP = frozenset(
    [
        "__main__",
        "abc",
        "codecs",
        "encodings",
        "genericpath",
        "io",
        "os",
        "posixpath",
        "site",
        "stat",
        "sys",
        "types",
    ]
)
"""Modules that a fresh interpreter has imported before any folder of the program's is on ``sys.path``."""


def take_streams(output: int) -> None:
    """Standard input is empty; what the program writes goes to a descriptor, which is closed."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for fd in (1, 2):
        os.dup2(output, fd)
    os.close(output)


def make_way(script: List[str], workspace: str) -> None:
    """Forget modules imported ahead where the folder that will come first on ``sys.path`` has its own: the
    script's folder, or (for tests and modules) the workspace."""
    folder = os.path.dirname(os.path.abspath(script[0])) if script else workspace
    for name in warm.names_on_path(folder):
        if name in sys.modules and name not in _AT_STARTUP:
            for known in [known for known in sys.modules if known.split(".")[0] == name]:
                del sys.modules[known]


def become_main() -> types.ModuleType:
    """Make this process one in which a program is about to start: the module ``__main__``, still empty."""
    warm.enter_program("pdb", [])
    del sys.path[0]  # the workspace, where enter_program has put it
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    return main


def load_main(words: List[str], main: types.ModuleType) -> types.CodeType:
    """The code of a script with its arguments, or of ``-m`` and a module with its arguments; ``main``,
    ``sys.argv`` and ``sys.path`` become what it expects.

    Raises ``ImportError``, ``OSError``, ``SyntaxError`` or ``IndexError`` if there is no such program.
    """
    return _load_module(words[1:], main) if words[0] == "-m" else _load_script(words, main)


def _load_script(words: List[str], main: types.ModuleType) -> types.CodeType:
    path = os.path.abspath(words[0])
    sys.argv = list(words)
    sys.path.insert(0, os.path.dirname(path))
    main.__file__ = path
    with open(path, "rb") as file:
        code: types.CodeType = compile(file.read(), path, "exec", dont_inherit=True)
    return code


def _load_module(words: List[str], main: types.ModuleType) -> types.CodeType:
    sys.argv = list(words)
    sys.path.insert(0, os.getcwd())
    spec = importlib.util.find_spec(words[0])
    if spec is not None and spec.submodule_search_locations is not None:
        spec = importlib.util.find_spec(words[0] + ".__main__")
    code = spec.loader.get_code(spec.name) if spec is not None and spec.loader is not None else None  # type: ignore[attr-defined]
    if spec is None or code is None:
        raise ImportError("there is no module %s that can be run" % words[0])
    sys.argv[0] = main.__file__ = code.co_filename
    main.__spec__, main.__package__, main.__loader__ = spec, spec.parent, spec.loader
    return code  # type: ignore[no-any-return]
