"""Which code is the workspace's own and which is machinery, and how files are named to the agent."""

from __future__ import annotations

import bdb
import cmd
import os
import pdb
import sys
from types import FrameType
from typing import Dict, List, Optional, Tuple

Entry = Tuple[FrameType, int]
"""A frame of the stack and the line at which it stands."""

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

    def hide(self, filename: str) -> None:
        """This file is machinery."""
        self._hidden[filename] = True

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
