"""The breakpoints: a table of the standard library's, with the commands that each one runs. As plain data it
outlives the program."""

from __future__ import annotations

import bdb
import os
from types import FrameType
from typing import Any, Callable, Dict, FrozenSet, List, NamedTuple, Optional, Set

from .output import Output
from .places import Places
from .rendering import brief
from .sources import Sources


class Hit(NamedTuple):
    """A breakpoint that stops the program."""

    number: int
    script: List[str]
    """The commands that it runs."""
    problem: str
    """Why its condition could not be evaluated; empty if it could."""
    temporary: bool


class Breakpoints:
    """All breakpoints."""

    def __init__(self, places: Places, sources: Sources) -> None:
        self._places, self._sources = places, sources
        self._table = bdb.Bdb()
        self.scripts: Dict[int, List[str]] = {}
        """Breakpoint number to the commands that run when it stops the program."""

    @property
    def by_file(self) -> Dict[str, List[int]]:
        """File to lines, as ``bdb.Bdb.breaks`` holds them: whoever is to stop there takes this over."""
        return self._table.breaks

    def all(self) -> List[bdb.Breakpoint]:
        """All of them, by number."""
        return [point for point in bdb.Breakpoint.bpbynumber if point is not None]

    def find(self, number: Any) -> bdb.Breakpoint:
        """One by its number, as text too. Raises ``ValueError`` if there is none."""
        return self._table.get_bpbynumber(number)

    def at(self, filename: str, line: int) -> List[bdb.Breakpoint]:
        """Those at a line."""
        return list(self._table.get_breaks(filename, line))

    def lines(self, filename: str) -> List[int]:
        """The lines of a file that hold one."""
        return list(self._table.get_file_breaks(filename))

    def wanted(self) -> Dict[str, FrozenSet[int]]:
        """Canonical file name to the lines that hold one which can stop the program."""
        files: Dict[str, Set[int]] = {}
        for point in self.all():
            if point.enabled:
                files.setdefault(point.file, set()).add(point.line)
        return {path: frozenset(lines) for path, lines in files.items()}

    def add(self, filename: str, line: int, temporary: bool, condition: Optional[str]) -> bdb.Breakpoint:
        """Set one. Raises ``ValueError`` if there is no such line."""
        self._sources.lines(filename)
        problem = self._table.set_break(filename, line, temporary, condition)
        if problem:
            raise ValueError(problem)
        return self.at(filename, line)[-1]

    def remove(self, point: bdb.Breakpoint) -> None:
        """Delete one, with its commands."""
        self._table.clear_bpbynumber(point.number)
        self.scripts.pop(point.number, None)

    def hit(self, frame: FrameType, judge: Callable[[str, FrameType], Any]) -> Optional[Hit]:
        """The one that stops the program in this frame, if any; ``judge`` evaluates a condition. Each that is
        reached counts it."""
        for point in self.at(frame.f_code.co_filename, frame.f_lineno):
            if not point.enabled:
                continue
            point.hits += 1
            holds, problem = True, ""
            try:
                holds = not point.cond or bool(judge(str(point.cond), frame))
            except (
                BaseException
            ) as error:  # as in bdb: not even a SystemExit of the condition ends the program
                problem = "its condition failed: " + brief(error)
            if holds and point.ignore and not problem:
                point.ignore -= 1
            elif holds:
                script = self.scripts.get(point.number, [])
                return Hit(point.number, script, problem, bool(point.temporary))
        return None

    # -- as plain data ---------------------------------------------------------------------

    def report(self) -> List[Dict[str, Any]]:
        """All of them as plain data."""
        return [
            {
                "number": point.number,
                "file": self._places.short(point.file),
                "line": point.line,
                "condition": point.cond,
                "temporary": bool(point.temporary),
                "enabled": bool(point.enabled),
                "ignore": point.ignore,
                "hits": point.hits,
                "commands": self.scripts.get(point.number, []),
            }
            for point in self.all()
        ]

    def restore(self, entries: List[Dict[str, Any]], output: Output) -> None:
        """Set breakpoints as ``report`` gave them, under the same numbers; say which are gone."""
        for entry in sorted(entries, key=lambda item: int(item["number"])):
            number, path = int(entry["number"]), os.path.join(self._places.workspace, entry["file"])
            while len(bdb.Breakpoint.bpbynumber) < number:
                bdb.Breakpoint.bpbynumber.append(None)
            bdb.Breakpoint.next = number
            try:
                point = self.add(path, entry["line"], bool(entry["temporary"]), entry["condition"])
            except ValueError as error:
                output.error("breakpoint %d is gone: %s" % (number, error))
                continue
            point.enabled, point.ignore, point.hits = entry["enabled"], entry["ignore"], entry["hits"]
            if entry["commands"]:
                self.scripts[number] = list(entry["commands"])

    def replace(self, entries: List[Dict[str, Any]], output: Output) -> None:
        """Forget all, and set these."""
        for point in self.all():
            self.remove(point)
        bdb.Breakpoint.next = 1
        del bdb.Breakpoint.bpbynumber[1:]
        self.restore(entries, output)
