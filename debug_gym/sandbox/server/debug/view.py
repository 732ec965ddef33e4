"""How the debugger shows places, source and values: short, aligned, without the machinery of a test run."""

from __future__ import annotations

import bdb
import cmd
import linecache
import os
import pdb
import reprlib
import sys
import time
import tokenize
import traceback
from collections import deque
from types import FrameType
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

Entry = Tuple[FrameType, int]
"""A frame of the stack and the line at which it stands."""

AROUND = 3
"""Lines shown before and after the one where the program stands."""
WIDTH = 240
"""Characters shown of one line of source."""
MAX_VALUE, MAX_MESSAGE = 4_000, 24_000
"""Characters of one value, and of anything else that the debugger says at once."""

_LIBRARY = os.path.dirname(str(os.__file__)) + os.sep
_HIDDEN_FILES = frozenset(
    [
        str(bdb.__file__),
        str(cmd.__file__),
        str(pdb.__file__),
        _LIBRARY + "runpy.py",
        _LIBRARY + "unittest/case.py",
        *(_LIBRARY + "asyncio/%s.py" % name for name in ("runners", "base_events", "events")),
    ]
)
_RUNTIME = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class Places:
    """Tells the workspace's code from the machinery that runs it, and names files as the agent knows them."""

    def __init__(self, workspace: str) -> None:
        self.workspace = workspace.rstrip(os.sep) + os.sep
        modules = [sys.modules.get(name) for name in ("_pytest", "pytest", "pluggy")]
        folders = [os.path.dirname(str(module.__file__)) + os.sep for module in modules if module is not None]
        self._folders = (*folders, _RUNTIME, "<frozen ")
        self._hidden: Dict[str, bool] = {}

    def hidden(self, filename: str) -> bool:
        """Machinery: pytest, pluggy, the import system, asyncio's event loop, the debugger itself."""
        found = self._hidden.get(filename)
        if found is None:
            found = filename in _HIDDEN_FILES or filename.startswith(self._folders)
            self._hidden[filename] = found
        return found

    def debugger(self, filename: str) -> bool:
        """The debugger itself."""
        return filename in _HIDDEN_FILES or filename.startswith(_RUNTIME)

    def ours(self, filename: str) -> bool:
        """Code of the workspace, or typed at the debugger; not the packages installed inside it."""
        if filename.startswith("<"):
            return not filename.startswith("<frozen ")
        return filename.startswith(self.workspace) and "/site-packages/" not in filename

    def short(self, filename: str) -> str:
        """Relative to the workspace where it lies in it."""
        return filename[len(self.workspace) :] if filename.startswith(self.workspace) else filename

    def full(self, name: str) -> str:
        """The file that ``short`` has named; code that is in no file keeps its name, as in ``<string>``."""
        return name if name.startswith("<") else os.path.join(self.workspace, name)

    def stands_in_program(self, frame: FrameType) -> bool:
        """A frame to stop in while stepping: the workspace's code, or what it called with no machinery
        between."""
        here: Optional[FrameType] = frame
        while here is not None:
            filename = here.f_code.co_filename
            if self.hidden(filename):
                return here is not frame and filename == bdb.__file__  # it runs what `debug` was given
            if not filename.startswith("<") and self.ours(filename):
                return True
            here = here.f_back
        return False

    def visible(
        self, stack: List[Entry], index: int, prefer_ours: bool, everything: bool = False
    ) -> Tuple[List[Entry], int]:
        """The part of a stack worth showing (or all of it), and the index of the entry to stand in: that at
        ``index``, or the innermost of the workspace's code."""
        files = [frame.f_code.co_filename for frame, _ in stack]
        plain = [n for n, file in enumerate(files) if not self.hidden(file)]
        mine = [n for n in plain if self.ours(files[n])]
        if not plain:
            return stack, index
        current = max([n for n in plain if n <= index], default=plain[-1])
        if prefer_ours and mine:
            current = mine[-1]
        if everything:
            return stack, current
        kept = [n for n in plain if n >= mine[0]] if mine else plain
        return [stack[n] for n in kept], kept.index(max(current, kept[0]))


class Sources:
    """The text of files as the program loaded them: one that changes meanwhile is still shown as it runs."""

    def __init__(self) -> None:
        self.started = time.time_ns()
        self._pinned: Dict[str, Tuple[Any, ...]] = {}
        self._noted: Dict[str, Tuple[int, int]] = {}

    def lines(self, filename: str, namespace: Optional[Dict[str, Any]] = None) -> List[str]:
        """The lines of a file, kept from now on."""
        entry = self._pinned.get(filename)
        if entry is None:
            signature = _signature(filename)
            lines = linecache.getlines(filename, namespace)
            if signature is None or not lines:
                return lines
            entry = self._pinned[filename] = (sum(map(len, lines)), None, lines, filename)
            if signature[0] <= self.started:
                self._noted[filename] = signature
        linecache.cache[filename] = entry  # with no time: never checked against the disk
        return entry[2]  # type: ignore[no-any-return]

    def begin(self) -> None:
        """The program stopped for the first time: from now on, somebody may edit files under it."""
        self.started = time.time_ns()

    def changed(self, filenames: List[str]) -> List[str]:
        """Those of the files that changed on disk since they were loaded; each change is told once."""
        found = []
        for filename in filenames:
            self.lines(filename)
            signature, noted = _signature(filename), self._noted.get(filename)
            if filename not in self._pinned or signature is None or signature == noted:
                continue
            self._noted[filename] = signature
            if noted is None or _text(filename) != "".join(self._pinned[filename][2]):
                found.append(filename)
        return found


def _signature(filename: str) -> Optional[Tuple[int, int]]:
    try:
        status = os.stat(filename)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _text(filename: str) -> str:
    """What is on disk now, decoded as linecache does."""
    try:
        with tokenize.open(filename) as file:
            text = file.read()
    except (OSError, SyntaxError, UnicodeDecodeError):
        return ""
    return text if text.endswith("\n") else text + "\n"


def listing(lines: Sequence[str], first: int, current: int, breaks: Any, raised: int = -1) -> List[str]:
    """Lines of source from number ``first`` on: the number, ``B`` for a breakpoint, ``->`` for where the
    program stands, ``>>`` for where the exception was raised."""
    width = max(4, len(str(first + len(lines))))
    shown = []
    for number, line in enumerate(lines, first):
        arrow = "->" if number == current else ">>" if number == raised else "  "
        line = line.rstrip()
        line = line if len(line) <= WIDTH else line[:WIDTH] + " [...]"
        row = "%*d %s%s  %s" % (width, number, "B" if number in breaks else " ", arrow, line)
        shown.append(row.rstrip())
    return shown


def cut(text: str, limit: int = MAX_MESSAGE) -> str:
    """At most about ``limit`` characters, with a notice in the middle that says what is missing."""
    if len(text) <= limit:
        return text
    tail = limit // 5
    head = limit - tail
    return "%s\n[... %d characters cut ...]\n%s" % (text[:head], len(text) - limit, text[-tail:])


def value(thing: Any, render: Callable[[Any], str] = repr) -> str:
    """What ``render`` makes of a value, within bounds. A huge container is not even rendered."""
    if _fits(thing):
        text = render(thing)
        if len(text) <= MAX_VALUE:
            return text
        return cut(text, MAX_VALUE)
    return "%s\n[cut: %s; ask for a part of it]" % (_SHORT.repr(thing), _measure(thing))


def _fits(thing: Any, budget: int = 3_000) -> bool:
    """Whether a value built of plain containers is small enough to be rendered whole."""
    todo = [thing]
    while todo:
        item = todo.pop()
        kind = type(item)
        budget -= 1
        if kind in (str, bytes, bytearray):
            budget -= len(item) // 16
        elif kind in (list, tuple, set, frozenset, deque, dict):
            budget -= len(item)
            if budget > 0:
                todo.extend(item)
                if kind is dict:
                    todo.extend(item.values())
        if budget <= 0:
            return False
    return True


def _measure(thing: Any) -> str:
    try:
        return "a %s of length %d" % (type(thing).__name__, len(thing))
    except Exception:
        return "a large %s" % type(thing).__name__


def _shortened() -> reprlib.Repr:
    short = reprlib.Repr()
    short.maxlist = short.maxtuple = short.maxset = short.maxfrozenset = short.maxdict = short.maxdeque = 40
    short.maxstring = short.maxother = 1_000
    short.maxlong, short.maxlevel = 200, 4
    return short


_SHORT = _shortened()


def describe(error: BaseException) -> str:
    """An exception as Python prints it, without its traceback."""
    try:
        return "".join(traceback.format_exception_only(type(error), error)).strip()
    except Exception:
        return type(error).__name__


def brief(error: BaseException) -> str:
    """The same without the source line that a ``SyntaxError`` comes with."""
    return describe(error).rpartition("\n")[2] if isinstance(error, SyntaxError) else describe(error)
