"""Where breakpoints can go: lines that hold code, functions by name, files as the agent names them."""

from __future__ import annotations

import ast
import inspect
import itertools
import os
import re
from types import CodeType, FrameType
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Optional, Set, Tuple, Union

from .line_watch import code_lines
from .places import Places
from .sources import Sources

MAX_SEARCHED = 2_000
"""Files of the workspace in which a function is searched by its name alone."""
MAX_LISTED = 8
"""Functions of the same name that are listed."""
_NOT_OUR_OWN = frozenset(["site-packages", "node_modules", "__pycache__"])
_Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]


class SourceMap:
    """Where breakpoints can be set in one file."""

    def __init__(self, text: str, filename: str) -> None:
        self.lines: FrozenSet[int] = frozenset()
        """The lines that hold code."""
        self.functions: Dict[str, int] = {}
        """Qualified name of each function to the first line of its body."""
        self.definitions: Dict[int, int] = {}
        """The lines on which a function's definition begins, each with the first line of its body."""
        self.problem = ""
        """Why the file cannot be compiled."""
        try:
            tree = ast.parse(text, filename)
            code = compile(text, filename, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            self.problem = str(error)
            return
        self._find_functions(tree, "")
        todo: List[CodeType] = [code]
        lines: Set[int] = set()
        while todo:
            code = todo.pop()
            lines |= code_lines(code)
            todo.extend(const for const in code.co_consts if isinstance(const, CodeType))
        self.lines = frozenset(line for line in lines if line > 0)

    def _find_functions(self, node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                line = _first_line(child)
                self.functions.setdefault(prefix + child.name, line)
                for start in (child.lineno, *(item.lineno for item in child.decorator_list)):
                    self.definitions[start] = line
            named = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            self._find_functions(child, prefix + child.name + "." if named else prefix)  # type: ignore[attr-defined]

    def function(self, name: str) -> Optional[int]:
        """The first line of a function's body, by its qualified name or the end of that.

        Raises:
            ValueError: it is the end of several.
        """
        if name in self.functions:
            return self.functions[name]
        found = [known for known in self.functions if known.endswith("." + name)]
        if len(found) > 1:
            raise ValueError(
                "%r is the name of several functions, say which: %s" % (name, ", ".join(found[:MAX_LISTED]))
            )
        return self.functions[found[0]] if found else None


def _first_line(node: _Function) -> Any:
    """The first line of a function's body that holds code: a docstring holds none."""
    first = node.body[0]
    if len(node.body) > 1 and ast.get_docstring(node, clean=False) is not None:
        first = node.body[1]
    return min([first.lineno, *[item.lineno for item in getattr(first, "decorator_list", [])]])


class Locator:
    """Finds the file and line that a breakpoint command means.

    Args:
        lookup: finds a file on ``sys.path``, as ``pdb.Pdb.lookupmodule`` does.
    """

    def __init__(self, places: Places, sources: Sources, lookup: Callable[[str], Optional[str]]) -> None:
        self._places, self._sources, self._lookup = places, sources, lookup
        self._maps: Dict[str, SourceMap] = {}

    def source_map(self, filename: str) -> SourceMap:
        """Where breakpoints can be set in a file."""
        if filename not in self._maps:
            self._maps[filename] = SourceMap("".join(self._sources.lines(filename)), filename)
        return self._maps[filename]

    def find_file(self, name: str) -> str:
        """The absolute path of a file or module named by the agent: in the workspace, else on ``sys.path``.

        Raises ``ValueError`` if there is none.
        """
        path = os.path.join(self._places.workspace, name)
        for candidate in (path, path + ".py", os.path.join(path, "__init__.py")):
            if os.path.isfile(candidate):
                return os.path.normpath(candidate)
        names = [each + end for each in (name, name.replace(".", os.sep)) for end in ("", "/__init__.py")]
        found = next(filter(None, map(self._lookup, names)), None)
        if not found or not os.path.isfile(found):
            raise ValueError("there is no file %s in the workspace or on sys.path" % name)
        return os.path.abspath(found)

    def locate(self, place: str, frame: Optional[FrameType]) -> Tuple[str, int]:
        """The file and line that ``[file:]line`` or ``[file:]function`` stands for, said at a frame.

        Raises ``ValueError`` with the reason if no breakpoint can be there.
        """
        name, colon, rest = place.rpartition(":")
        if colon:
            filename = self.find_file(name.strip())
        elif rest.strip().isdigit():
            if frame is None:
                raise ValueError(
                    "no program runs, so there is no current file: name it, as in  b path/to/file.py:12"
                )
            filename = _canonic(frame.f_code.co_filename)
        else:
            return self._locate_function(rest.strip(), frame)
        rest = rest.strip()
        if not rest.isdigit():
            line = self.source_map(filename).function(rest)
            if line is None:
                raise ValueError("there is no function %s in %s" % (rest, self._places.short(filename)))
            return filename, line
        line = int(rest)
        self._check_line(filename, line)
        return filename, line

    def _locate_function(self, name: str, frame: Optional[FrameType]) -> Tuple[str, int]:
        """A function by an expression in the current frame, or as ``module.function``, not imported yet."""
        if frame is not None:
            try:
                thing = inspect.unwrap(eval(name, frame.f_globals, frame.f_locals))
                code = getattr(getattr(thing, "__func__", thing), "__code__", None)
            except Exception:
                code = None
            if isinstance(code, CodeType):
                filename = _canonic(code.co_filename)
                body = [line for line in code_lines(code) if line > code.co_firstlineno]
                known = self.source_map(filename).definitions.get(code.co_firstlineno)
                return filename, known or min(body, default=0)
        parts = name.split(".")
        for split in range(len(parts) - 1, 0, -1):
            try:
                filename = self.find_file("/".join(parts[:split]))
            except ValueError:
                continue
            line = self.source_map(filename).function(".".join(parts[split:]))
            if line is not None:
                return filename, line
        if frame is not None:
            filename = _canonic(frame.f_code.co_filename)
            line = self.source_map(filename).function(name)
            if line is not None:
                return filename, line
        return self._search_workspace(name)

    def _search_workspace(self, name: str) -> Tuple[str, int]:
        """The only function of this name in the workspace's files; it may begin with its class, or with that
        and its module."""
        pattern, last = re.compile(r"\bdef\s+%s\b" % re.escape(name.split(".")[-1])), "." + name
        found = []
        for filename in itertools.islice(python_files(self._places.workspace), MAX_SEARCHED):
            if not pattern.search(self._sources.peek(filename)):
                continue
            module = "." + os.path.splitext(self._places.short(filename))[0].replace(os.sep, ".") + "."
            for known, line in self.source_map(filename).functions.items():
                if (module + known).endswith(last):
                    found.append((filename, known, line))
        if len(found) == 1:
            return found[0][0], found[0][2]
        if not found:
            raise ValueError(
                "there is no function or file %r; say  b path/to/file.py:12  or  b file.py:function" % name
            )
        places = ["b %s:%s" % (self._places.short(filename), known) for filename, known, _ in found]
        more = "; ..." if len(places) > MAX_LISTED else ""
        raise ValueError("%r is the name of several: %s%s" % (name, "; ".join(places[:MAX_LISTED]), more))

    def _check_line(self, filename: str, line: int) -> None:
        lines = self._sources.lines(filename)
        short = self._places.short(filename)
        if not 1 <= line <= len(lines):
            raise ValueError("%s ends at line %d, there is no line %d" % (short, len(lines), line))
        text = lines[line - 1].strip()
        if not text or text.startswith("#"):
            what = "a comment" if text else "blank"
            raise ValueError("line %d of %s is %s%s" % (line, short, what, self._nearest(filename, line)))
        known = self.source_map(filename)
        if known.problem:
            raise ValueError("%s cannot be compiled: %s" % (short, known.problem))
        if line not in known.lines:
            why = "line %d of %s starts no statement, so the program never stops there"
            raise ValueError(why % (line, short) + self._nearest(filename, line))

    def _nearest(self, filename: str, line: int) -> str:
        later = [known for known in self.source_map(filename).lines if known > line]
        return "; the next line with code is %d" % min(later) if later else ""


def python_files(workspace: str) -> Iterator[str]:
    """The workspace's own Python files: none in hidden folders, and no installed packages."""
    for folder, folders, files in os.walk(workspace):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _NOT_OUR_OWN)
        yield from (os.path.join(folder, name) for name in sorted(files) if name.endswith(".py"))


def _canonic(filename: str) -> str:
    """As bdb knows a file."""
    return filename if filename.startswith("<") else os.path.normcase(os.path.abspath(filename))
