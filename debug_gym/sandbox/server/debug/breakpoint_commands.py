"""pdb's breakpoint commands, for somebody who cannot be asked back: they check before they set, say what is
wrong, and know files relative to the workspace. They work with no program running, too."""

from __future__ import annotations

import bdb
from types import FrameType
from typing import List, Optional

from .breakpoints import Breakpoints
from .commands import RESUMING
from .conversation import Conversation
from .locations import Locator
from .places import Places


class BreakpointCommands:
    """What ``b``, ``tbreak``, ``cl``, ``enable``, ``disable``, ``condition`` and ``commands`` do."""

    def __init__(
        self, points: Breakpoints, locator: Locator, places: Places, conversation: Conversation
    ) -> None:
        self._points, self._locator, self._places = points, locator, places
        self._conversation, self._output = conversation, conversation.output

    def add(self, arg: str, frame: Optional[FrameType], *, temporary: bool = False) -> None:
        """Set one at ``[file:](line | function) [, condition]``."""
        place, _, condition = arg.partition(",")
        condition = condition.strip()
        try:
            if condition:
                self._check_condition(condition)
            filename, line = self._locator.locate(place.strip(), frame)
            same = [point for point in self._points.at(filename, line) if bool(point.temporary) == temporary]
            if same:
                self._add_again(same[0], condition)
                return
            point = self._points.add(filename, line, temporary, condition or None)
        except ValueError as error:
            self._output.error(str(error))
            return
        kind = "Temporary breakpoint" if temporary else "Breakpoint"
        self._output.message("%s %d at %s" % (kind, point.number, self._where(point)))
        body = self._locator.source_map(filename).definitions.get(line)
        if body is not None and body != line:
            self._output.message(
                "(line %d runs when the function is defined; its body begins at line %d)" % (line, body)
            )

    def _add_again(self, point: bdb.Breakpoint, condition: str) -> None:
        """There is one already: only a new condition changes anything."""
        name = "breakpoint %d at %s" % (point.number, self._where(point))
        if condition and condition != point.cond:
            point.cond = condition
            self._output.message("%s existed; it now stops only if %s" % (name.capitalize(), condition))
        else:
            only = " (stops only if %s)" % point.cond if point.cond else ""
            self._output.message("Nothing to do: there is a %s already%s" % (name, only))

    @staticmethod
    def _check_condition(condition: str) -> None:
        try:
            compile(condition, "<condition>", "eval")
        except SyntaxError as error:
            raise ValueError("the condition %r is no expression: %s" % (condition, error.msg)) from None

    def _where(self, point: bdb.Breakpoint) -> str:
        return "%s:%d" % (self._places.short(point.file), point.line)

    def show(self) -> None:
        """List them all."""
        points = self._points.all()
        if not points:
            self._output.message("There are no breakpoints.")
            return
        self._output.message("Num Type         Disp Enb   Where")
        for point in points:
            kept, enabled = "del " if point.temporary else "keep", "yes" if point.enabled else "no "
            self._output.message(
                "%-4dbreakpoint   %s %s   at %s" % (point.number, kept, enabled, self._where(point))
            )
            if point.cond:
                self._output.message("\tstop only if %s" % point.cond)
            if point.ignore:
                self._output.message("\tignore next %d hits" % point.ignore)
            if point.hits:
                self._output.message(
                    "\tbreakpoint already hit %d time%s" % (point.hits, "s" if point.hits > 1 else "")
                )
            for line in self._points.scripts.get(point.number, []):
                self._output.message("\t    " + line)

    def clear(self, arg: str) -> None:
        """Delete those at ``file:line`` or with these numbers; with no argument all, without asking."""
        place, colon, line = arg.rpartition(":")
        doomed: List[bdb.Breakpoint] = [] if arg else self._points.all()
        try:
            if colon:
                if not line.strip().isdigit():
                    raise ValueError("say  cl file.py:line  or  cl number")
                filename = self._locator.find_file(place.strip())
                doomed = self._points.at(filename, int(line))
                if not doomed:
                    raise ValueError(
                        "there is no breakpoint at %s:%s" % (self._places.short(filename), line.strip())
                    )
            elif not arg and not doomed:
                raise ValueError("there are no breakpoints")
        except ValueError as error:
            self._output.error(str(error))
            return
        for number in [] if colon else arg.split():
            try:
                doomed.append(self._points.find(number))
            except ValueError as error:
                self._output.error(str(error))
        for point in doomed:
            self._points.remove(point)
            self._output.message("Deleted breakpoint %d at %s" % (point.number, self._where(point)))

    def enable(self, arg: str, enabled: bool) -> None:
        """Let those with these numbers stop the program, or not."""
        for number in arg.split() or [""]:
            try:
                point = self._points.find(number)
            except ValueError as error:
                self._output.error(str(error))
                continue
            point.enabled = enabled
            done = "Enabled" if enabled else "Disabled"
            self._output.message("%s breakpoint %d at %s" % (done, point.number, self._where(point)))

    def accepts_condition(self, arg: str) -> bool:
        """Whether the expression in ``number [expression]``, if any, can be compiled; else say why not."""
        try:
            if len(arg.split()) > 1:
                self._check_condition(arg.split(None, 1)[1])
        except ValueError as error:
            self._output.error(str(error))
            return False
        return True

    def set_script(self, arg: str) -> None:
        """Take the lines that follow in the text, up to ``end`` or a command that resumes the program, as
        what one does each time it stops there. With no lines, those that it has are removed."""
        number = arg.strip() or str(len(bdb.Breakpoint.bpbynumber) - 1)
        try:
            point = self._points.find(number)
        except ValueError as error:
            self._output.error("cannot set commands: %s" % error)
            return
        lines: List[str] = []
        line = self._conversation.take_line()
        if line is None:
            self._output.error("give the commands in the same call, one a line, and then a line `end`")
            return
        while line is not None and line.strip() != "end":
            lines.append(line.strip())
            if line.split()[0] in RESUMING:
                self._conversation.take_line("end")
                break
            line = self._conversation.take_line()
        self._points.scripts.pop(point.number, None)
        if lines:
            self._points.scripts[point.number] = lines
        count = "%d command%s" % (len(lines), "" if len(lines) == 1 else "s") if lines else "no commands"
        self._output.message("Breakpoint %d at %s runs %s" % (point.number, self._where(point), count))
