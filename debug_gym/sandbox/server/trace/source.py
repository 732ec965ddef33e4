"""The program's source before it runs: its files, and the functions, classes and modules in them by name."""

from __future__ import annotations

import ast
import difflib
import inspect
import os
import re
import sys
import warnings
from types import CodeType
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

from ..debug.locations import SourceMap

COMPREHENSIONS = frozenset(["<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"])
_SKIPPED = frozenset(["__pycache__", "node_modules", "site-packages", "venv", "build", "dist"])
_MAX_FILES = 5_000
"""Files of the workspace that are searched for a name."""
_MAX_NAMED = 400
"""Files whose names are looked through for one like a name that does not exist."""


class Unit(NamedTuple):
    """One code object: a module, a class body, a function."""

    path: str
    code: CodeType
    module: str
    """Dotted name of the file: ``shop.cart`` for ``shop/cart.py``."""
    trail: Tuple[str, ...]
    """Names from the module to here: ``("Cart", "add")``."""
    place: Tuple[int, ...]
    """Position in the tree of code objects."""

    @property
    def qualname(self) -> str:
        """``Cart.add``; empty for the module."""
        return ".".join(self.trail)

    @property
    def name(self) -> str:
        """``shop.cart.Cart.add``."""
        return ".".join([self.module, *self.trail])

    def inside(self, other: "Unit") -> bool:
        """It is part of the other, or is the other."""
        return self.path == other.path and self.place[: len(other.place)] == other.place


class Source:
    """The files of the workspace, and those on ``sys.path``. Methods raise ``ValueError`` with a sentence."""

    def __init__(self, workspace: str) -> None:
        self.workspace = workspace.rstrip(os.sep) + os.sep
        self._units: Dict[str, List[Unit]] = {}
        self._maps: Dict[str, SourceMap] = {}
        self._files: Optional[List[str]] = None
        folders = {
            os.path.realpath(folder).rstrip(os.sep) + os.sep for folder in sys.path if os.path.isdir(folder)
        }
        self._path = sorted(folders - {os.sep}, key=len, reverse=True)

    def short(self, path: str) -> str:
        """Relative to the workspace where it lies in it, else to a folder of ``sys.path``."""
        for folder in (self.workspace, *self._path):
            if path.startswith(folder):
                return path[len(folder) :]
        return path

    def find_file(self, name: str) -> str:
        """The real path of a file: in the workspace, in a folder of ``sys.path``, or absolute."""
        for folder in (self.workspace, *self._path):
            path = os.path.realpath(os.path.join(folder, name))
            if os.path.isfile(path):
                return path
        known = [self.short(file) for file in self._workspace_files()]
        namesakes = [file for file in known if os.path.basename(file) == os.path.basename(name)]
        near = (namesakes or difflib.get_close_matches(name[:200], known, n=3, cutoff=0.6))[:3]
        hint = "; did you mean %s?" % " or ".join(near) if near else ""
        raise ValueError("there is no file %s%s" % (name, hint))

    def map(self, path: str) -> SourceMap:
        """Where the code of a file is."""
        if path not in self._maps:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._maps[path] = SourceMap(_read(path).decode("utf-8", "replace"), path)
        return self._maps[path]

    def spans(self, path: str, line: int) -> Dict[int, int]:
        """The line with the last one of the simple statement that begins there, if that has several."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(_read(path), path)
        ends = [
            getattr(node, "end_lineno", None) or line  # Python 3.7 does not know
            for node in ast.walk(tree)
            if isinstance(node, ast.stmt) and node.lineno == line and not hasattr(node, "body")
        ]
        return {line: max(ends)} if ends and max(ends) > line else {}

    def units(self, path: str) -> List[Unit]:
        """All code objects of a file."""
        if path not in self._units:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    code = compile(_read(path), path, "exec", dont_inherit=True)
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                raise ValueError("%s cannot be compiled: %s" % (self.short(path), error)) from None
            self._units[path] = list(_walk(Unit(path, code, self._module(path), (), (0,))))
        return self._units[path]

    def named(self, name: str) -> List[Unit]:
        """The modules, classes and functions that ``path/file.py``, ``path/file.py:name`` or the end of a
        dotted name such as ``shop.cart.Cart.add`` can mean."""
        file, _, inner = name.partition(".py:")
        if inner or name.endswith(".py"):
            path = self.find_file(file + ".py" if inner else name)
            return [
                unit
                for unit in self.units(path)
                if (not inner and not unit.trail) or (inner and _ends(unit.qualname, inner))
            ]
        found = [unit for unit in self._candidates(name) if _ends(unit.name, name)]
        return found or list(self._installed(name))

    def all_names(self) -> List[str]:
        """The full names of what the workspace defines."""
        return [unit.name for path in self._workspace_files()[:_MAX_NAMED] for unit in self._try_units(path)]

    # -- files ---------------------------------------------------------------------------------

    def _workspace_files(self) -> List[str]:
        if self._files is None:
            self._files = []
            for folder, folders, files in os.walk(self.workspace):
                folders[:] = sorted(sub for sub in folders if sub not in _SKIPPED and not sub.startswith("."))
                self._files += [os.path.join(folder, file) for file in sorted(files) if file.endswith(".py")]
                if len(self._files) >= _MAX_FILES:
                    break
        return self._files

    def _candidates(self, name: str) -> Iterator[Unit]:
        """The named code objects of files that hold the last part of a name at all."""
        last = name.rpartition(".")[2]
        word = re.compile(rb"\b%s\b" % re.escape(last).encode())
        for path in self._workspace_files():
            if self._module(path).rpartition(".")[2] == last or word.search(_read(path)):
                yield from self._try_units(os.path.realpath(path))

    def _try_units(self, path: str) -> Iterator[Unit]:
        try:
            units = self.units(path)
        except ValueError:
            return  # a file that cannot be compiled defines nothing
        for unit in units:
            if not unit.code.co_name.startswith("<") or not unit.trail:
                yield unit

    def _installed(self, name: str) -> Iterator[Unit]:
        """What a full dotted name means in the files on ``sys.path``."""
        parts = name.split(".")
        for split in range(len(parts), 0, -1):
            for folder in sys.path:
                stem = os.path.join(folder, *parts[:split])
                for path in (stem + ".py", os.path.join(stem, "__init__.py")):
                    if os.path.isfile(path):
                        inner = tuple(parts[split:])
                        yield from (
                            unit for unit in self.units(os.path.realpath(path)) if unit.trail == inner
                        )
                        return

    def _module(self, path: str) -> str:
        stem = os.path.splitext(self.short(path))[0]
        stem = stem[: -len("/__init__")] if stem.endswith("/__init__") else stem
        return stem.strip(os.sep).replace(os.sep, ".")


def is_function(code: CodeType) -> bool:
    """A function with a name: no class body, no module, no comprehension, no lambda."""
    return bool(code.co_flags & inspect.CO_OPTIMIZED) and not code.co_name.startswith("<")


def _walk(unit: Unit) -> Iterator[Unit]:
    """A code object and all inside of it."""
    yield unit
    inner = [const for const in unit.code.co_consts if isinstance(const, CodeType)]
    for number, code in enumerate(inner):
        named = () if code.co_name.startswith("<generic parameters") else (code.co_name,)
        place = (*unit.place, number)
        yield from _walk(unit._replace(code=code, trail=(*unit.trail, *named), place=place))


def _ends(full: str, name: str) -> bool:
    return full == name or full.endswith("." + name)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
