"""The text of the program's files, as the program runs them."""

from __future__ import annotations

import linecache
import os
import time
import tokenize
from typing import Any, Dict, List, Optional, Tuple


class Sources:
    """The text of files as the program loaded them: one that changes meanwhile is still shown as it runs."""

    def __init__(self) -> None:
        self.started = int(time.time() * 1e9)
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

    def peek(self, filename: str) -> str:
        """The text of a file as it is shown, or, of one that was not shown yet, as it is on disk."""
        entry = self._pinned.get(filename)
        return _text(filename) if entry is None else "".join(entry[2])

    def begin(self) -> None:
        """The program stopped for the first time: from now on, somebody may edit files under it."""
        self.started = int(time.time() * 1e9)

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
