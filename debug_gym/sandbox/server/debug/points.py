"""pdb's breakpoint commands, for a debugger that nobody can ask back: they check before they set, say what is
wrong, and know files relative to the workspace. They work with no program running, too."""

from __future__ import annotations

import bdb
import os
from typing import Any, Dict, List, Optional

from .code import Locator
from .view import Places, Sources
from .words import RESUMING


class BreakpointCommands(Locator):
    """The commands ``b``, ``tbreak``, ``cl``, ``condition``, ``commands``, and the state behind them."""

    def __init__(self, places: Places, sources: Sources, stdin: Any, stdout: Any) -> None:
        super().__init__(places, sources, stdin, stdout)
        self.scripts: Dict[int, List[str]] = {}
        """Breakpoint number to the commands that run when it stops the program."""

    # -- state ---------------------------------------------------------------------------

    def restore(self, entries: List[Dict[str, Any]]) -> None:
        """Set breakpoints as ``report`` gave them, under the same numbers."""
        for entry in sorted(entries, key=lambda item: int(item["number"])):
            number, path = int(entry["number"]), os.path.join(self.places.workspace, entry["file"])
            while len(bdb.Breakpoint.bpbynumber) < number:
                bdb.Breakpoint.bpbynumber.append(None)
            bdb.Breakpoint.next = number
            self.sources.lines(path)
            problem = self.set_break(path, entry["line"], bool(entry["temporary"]), entry["condition"])
            if problem:
                self.error("breakpoint %d is gone: %s" % (number, problem))
                continue
            point = self.get_bpbynumber(number)
            point.enabled, point.ignore, point.hits = entry["enabled"], entry["ignore"], entry["hits"]
            if entry["commands"]:
                self.scripts[number] = list(entry["commands"])

    def replace(self, entries: List[Dict[str, Any]]) -> None:
        """Forget all breakpoints, and set these."""
        for point in self.points():
            self.clear_bpbynumber(point.number)
        bdb.Breakpoint.next = 1
        del bdb.Breakpoint.bpbynumber[1:]
        self.scripts.clear()
        self.restore(entries)

    def find_point(self, number: Any) -> bdb.Breakpoint:
        """A breakpoint by its number, as text too. Raises ``ValueError`` if there is none."""
        return self.get_bpbynumber(number)

    def points(self) -> List[bdb.Breakpoint]:
        """All breakpoints, by number."""
        return [point for point in bdb.Breakpoint.bpbynumber if point is not None]

    def report(self) -> List[Dict[str, Any]]:
        """All breakpoints as plain data."""
        return [
            {
                "number": point.number,
                "file": self.places.short(point.file),
                "line": point.line,
                "condition": point.cond,
                "temporary": bool(point.temporary),
                "enabled": bool(point.enabled),
                "ignore": point.ignore,
                "hits": point.hits,
                "commands": self.scripts.get(point.number, []),
            }
            for point in self.points()
        ]

    # -- commands ---------------------------------------------------------------------------

    def do_break(self, arg: str, temporary: Any = False) -> None:
        """b(reak) [[file:](line | function) [, condition]]: set a breakpoint; alone, list them all."""
        if not arg:
            self._list()
            return
        place, _, condition = arg.partition(",")
        condition = condition.strip()
        try:
            if condition:
                self._check_condition(condition)
            filename, line = self.locate(place.strip())
        except ValueError as error:
            self.error(str(error))
            return
        twins = [
            point for point in self.get_breaks(filename, line) if bool(point.temporary) == bool(temporary)
        ]
        if twins:
            self._set_again(twins[0], condition)
            return
        problem = self.set_break(filename, line, bool(temporary), condition or None)
        if problem:
            self.error(problem)
            return
        point = self.get_breaks(filename, line)[-1]
        kind = "Temporary breakpoint" if temporary else "Breakpoint"
        self.message("%s %d at %s" % (kind, point.number, self._where(point)))
        body = self.source_map(filename).definitions.get(line)
        if body is not None and body != line:
            self.message(
                "(line %d runs when the function is defined; its body begins at line %d)" % (line, body)
            )

    do_b = do_break

    def do_tbreak(self, arg: str) -> None:
        """tbreak [file:](line | function) [, condition]: a breakpoint that goes when it is first hit."""
        self.do_break(arg, True)

    def _set_again(self, point: bdb.Breakpoint, condition: str) -> None:
        """There is one already: only a new condition changes anything."""
        name = "breakpoint %d at %s" % (point.number, self._where(point))
        if condition and condition != point.cond:
            point.cond = condition
            self.message("%s existed; it now stops only if %s" % (name.capitalize(), condition))
        else:
            only = " (stops only if %s)" % point.cond if point.cond else ""
            self.message("Nothing to do: there is a %s already%s" % (name, only))

    @staticmethod
    def _check_condition(condition: str) -> None:
        try:
            compile(condition, "<condition>", "eval")
        except SyntaxError as error:
            raise ValueError("the condition %r is no expression: %s" % (condition, error.msg)) from None

    def _where(self, point: bdb.Breakpoint) -> str:
        return "%s:%d" % (self.places.short(point.file), point.line)

    def _list(self) -> None:
        points = self.points()
        if not points:
            self.message("There are no breakpoints.")
            return
        self.message("Num Type         Disp Enb   Where")
        for point in points:
            kept, enabled = "del " if point.temporary else "keep", "yes" if point.enabled else "no "
            self.message("%-4dbreakpoint   %s %s   at %s" % (point.number, kept, enabled, self._where(point)))
            if point.cond:
                self.message("\tstop only if %s" % point.cond)
            if point.ignore:
                self.message("\tignore next %d hits" % point.ignore)
            if point.hits:
                self.message(
                    "\tbreakpoint already hit %d time%s" % (point.hits, "s" if point.hits > 1 else "")
                )
            for line in self.scripts.get(point.number, []):
                self.message("\t    " + line)

    def do_clear(self, arg: str) -> None:
        """cl(ear) [file:line | number ...]: delete breakpoints; alone, delete all, without asking."""
        place, colon, line = arg.rpartition(":")
        doomed: List[bdb.Breakpoint] = [] if arg else self.points()
        try:
            if colon:
                if not line.strip().isdigit():
                    raise ValueError("say  cl file.py:line  or  cl number")
                filename = self.find_file(place.strip())
                doomed = list(self.get_breaks(filename, int(line)))
                if not doomed:
                    raise ValueError(
                        "there is no breakpoint at %s:%s" % (self.places.short(filename), line.strip())
                    )
            elif not arg and not doomed:
                raise ValueError("there are no breakpoints")
        except ValueError as error:
            self.error(str(error))
            return
        for number in [] if colon else arg.split():
            try:
                doomed.append(self.find_point(number))
            except ValueError as error:
                self.error(str(error))
        for point in doomed:
            self.clear_bpbynumber(point.number)
            self.scripts.pop(point.number, None)
            self.message("Deleted breakpoint %d at %s" % (point.number, self._where(point)))

    do_cl = do_clear

    def do_enable(self, arg: str) -> None:
        """enable number [number ...]: let breakpoints stop the program again."""
        self._switch(arg, True)

    def do_disable(self, arg: str) -> None:
        """disable number [number ...]: keep breakpoints, but do not stop at them."""
        self._switch(arg, False)

    def _switch(self, arg: str, enabled: bool) -> None:
        for number in arg.split() or [""]:
            try:
                point = self.find_point(number)
            except ValueError as error:
                self.error(str(error))
                continue
            point.enabled = enabled
            done = "Enabled" if enabled else "Disabled"
            self.message("%s breakpoint %d at %s" % (done, point.number, self._where(point)))

    def do_condition(self, arg: str) -> None:
        """condition number [expression]: stop there only if the expression is true; alone, always."""
        try:
            if len(arg.split()) > 1:
                self._check_condition(arg.split(None, 1)[1])
        except ValueError as error:
            self.error(str(error))
            return
        super().do_condition(arg)

    def do_commands(self, arg: str) -> None:
        """commands [number], then one command a line, then ``end``: what to do each time it stops there.

        All lines come in one call. ``silent`` as the first line leaves out where the program stopped; a
        command that resumes the program (``c``) is the last. With no commands, those that it has are removed.
        """
        number = arg.strip() or str(len(bdb.Breakpoint.bpbynumber) - 1)
        try:
            point = self.find_point(number)
        except ValueError as error:
            self.error("cannot set commands: %s" % error)
            return
        lines: List[str] = []
        line = self.take_line()
        if line is None:
            self.error("give the commands in the same call, one a line, and then a line `end`")
            return
        while line is not None and line.strip() != "end":
            lines.append(line.strip())
            if line.split()[0] in RESUMING:
                self.take_line("end")
                break
            line = self.take_line()
        self.scripts.pop(point.number, None)
        if lines:
            self.scripts[point.number] = lines
        count = "%d command%s" % (len(lines), "" if len(lines) == 1 else "s") if lines else "no commands"
        self.message("Breakpoint %d at %s runs %s" % (point.number, self._where(point), count))

    def take_line(self, only: Optional[str] = None) -> Optional[str]:
        """The next line of the text that is being executed (``only`` that one, if named); None at its end."""
        raise NotImplementedError
