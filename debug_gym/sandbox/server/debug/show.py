"""What the debugger shows: stops, frames, source and values."""

from __future__ import annotations

import inspect
import itertools
import pdb
import pprint
import sys
import threading
from types import CodeType, FrameType, TracebackType
from typing import Any, Dict, Optional, Sequence, Tuple

from .changes import Changes
from .settings import SettingCommands
from .talk import Words
from .view import AROUND, Entry, Places, Sources, brief, cut, describe, listing, value

MAX_EQUAL = 5
"""Frames at the same place that ``where`` shows one by one; more of them are a recursion."""
_INNER = frozenset(["<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "<lambda>"])


class _Names(Dict[str, Any]):
    """Globals that know a frame's local variables, too, as they are at any time."""

    def __init__(self, *scopes: Any) -> None:
        super().__init__()
        self._scopes = scopes

    def __missing__(self, name: str) -> Any:
        for scope in self._scopes:
            if name in scope:
                return scope[name]
        raise KeyError(name)


def scope(code: CodeType, names: Dict[str, Any], values: Any) -> Dict[str, Any]:
    """The globals to run code in: with the local ``values``, if a comprehension or lambda needs them."""
    inner = [const for const in code.co_consts if isinstance(const, CodeType)]
    if values is names or not inner or not all(const.co_name in _INNER for const in inner):
        return names
    return _Names(values, names)


class Display(SettingCommands):
    """The commands of pdb that show something, and the lines that each stop begins with."""

    def __init__(self, places: Places, sources: Sources, stdin: Any, words: Words) -> None:
        super().__init__(places, sources, stdin, words)
        self.words = words
        self.standing: Optional[Dict[str, Any]] = None
        """Where the program stands: ``file``, ``line``, ``function``, ``reason``."""
        self.post_mortem_only = False
        """The frames belong to a traceback; the program cannot go on from there."""
        self.prefer_ours = False
        """Stand in the innermost frame of the workspace's code, not in a library that it called."""
        self._origin: Tuple[Optional[FrameType], Optional[TracebackType]] = (None, None)
        """The frame and the traceback of which the stack is shown."""
        self._changes = Changes()

    # -- stops and frames -----------------------------------------------------------------------

    def get_stack(self, f: Optional[FrameType], t: Optional[TracebackType]) -> Any:
        """See ``bdb``: without the machinery, unless it was asked for."""
        self._origin = f, t
        stack, index = super().get_stack(f, t)
        return self.places.visible(stack, index, self.prefer_ours, self.settings.machinery)

    def forget(self) -> None:
        """See ``pdb``."""
        super().forget()
        self._origin = None, None

    def _lay_stack_anew(self) -> None:
        """Show the stack as the settings are now, and stay in the current frame, if it is still shown."""
        frame, origin = self.curframe, self._origin
        if frame is None:
            return
        stack, _ = self.get_stack(*origin)
        places = [n for n, (each, _) in enumerate(stack) if each is frame]
        if places:
            self.stack, self.curindex = stack, places[-1]
        else:
            self.setup(*origin)

    def settings_changed(self, name: str) -> None:
        """See ``SettingCommands``."""
        if name == "machinery":
            self._lay_stack_anew()
        else:
            self._changes = Changes()
            self.list_changes()

    def list_changes(self) -> None:
        """If that is wanted: the local variables that changed since the last stop."""
        frame = self.curframe
        if not self.settings.changes or frame is None:
            return
        depth, outer = 0, frame.f_back
        while outer is not None:
            depth, outer = depth + 1, outer.f_back
        for line in self._changes.look((frame.f_code, depth), self.local_variables()):
            self.message("    " + line)

    def stand(self, kind: str, error: Optional[BaseException]) -> None:
        """Note where the program stands: where it stopped, or where its source cannot be compiled."""
        frame, line = self.stack[self.curindex]
        filename, function = frame.f_code.co_filename, frame.f_code.co_name
        if isinstance(error, SyntaxError) and error.filename and not self.places.ours(filename):
            filename, line, function = error.filename, error.lineno or 1, "<module>"
        short = self.places.short(filename)
        self.standing = {"file": short, "line": line, "function": function, "reason": kind}

    def announce(self, kind: str, detail: str = "", *, brief: bool = False) -> None:
        """One line that says why and where, then the source around it."""
        assert self.standing is not None
        first, _, rest = cut(detail, 2_000).partition("\n")
        place = "%s at %s:%d in %s" % (
            kind,
            self.standing["file"],
            self.standing["line"],
            self.standing["function"],
        )
        thread = threading.current_thread()
        if thread is not threading.main_thread():
            place += " [%s]" % thread.name
        self.message(place + (": " + first if first else ""))
        for line in rest.split("\n") if rest else ():
            self.message(("    " + line).rstrip())
        if self.curindex < len(self.stack) - 1:
            frame, number = self.stack[-1]
            inner = "%s:%d in %s" % (
                self.places.short(frame.f_code.co_filename),
                number,
                frame.f_code.co_name,
            )
            self.message("    (deeper, in %s; `down` goes there)" % inner)
        if not brief:
            self._list_around(self.places.full(self.standing["file"]), self.standing["line"])

    def _list_around(self, filename: str, line: int) -> None:
        frame = self.stack[self.curindex][0]
        lines = self.sources.lines(filename, frame.f_globals)
        first = max(1, line - AROUND)
        breaks = self.get_file_breaks(filename)
        for row in listing(lines[first - 1 : line + AROUND], first, line, breaks):
            self.message(row)

    def print_stack_entry(self, frame_lineno: Entry, prompt_prefix: Any = None) -> None:
        """The frame that ``up``, ``down`` or ``jump`` went to."""
        frame, line = frame_lineno
        filename = frame.f_code.co_filename
        self.message("frame at %s:%d in %s" % (self.places.short(filename), line, frame.f_code.co_name))
        self._list_around(filename, line)

    def print_stack_trace(self, count: Optional[int] = None) -> None:
        """``where``: outermost first, ``->`` before the current frame."""
        shown = self.stack
        if count is not None:
            shown = (
                [self.stack[self.curindex]]
                if count == 0
                else self.stack[-count:]
                if count > 0
                else shown[:-count]
            )
        for (place, source), group in itertools.groupby(shown, self._row):
            frames = [frame for frame, _ in group]
            ends = frames if len(frames) <= MAX_EQUAL else (frames[0], frames[-1])
            for frame in frames:
                if frame in ends or frame is self.curframe:
                    self.message(("-> " if frame is self.curframe else "   ") + place)
                    if source:
                        self.message("       " + source)
                if frame is frames[0] and len(frames) > MAX_EQUAL:
                    self.message("       [... %d frames of this recursion, then ...]" % (len(frames) - 2))

    def _row(self, entry: Entry) -> Tuple[str, str]:
        """A frame's place, and its line of source."""
        frame, line = entry
        lines = self.sources.lines(frame.f_code.co_filename, frame.f_globals)
        place = "%s:%d in %s" % (self.places.short(frame.f_code.co_filename), line, frame.f_code.co_name)
        return place, cut(lines[line - 1].strip(), 200) if 0 < line <= len(lines) else ""

    def _print_lines(
        self, lines: Sequence[str], start: int, breaks: Any = (), frame: Optional[FrameType] = None
    ) -> None:
        """``list``, ``longlist`` and ``source``."""
        current = frame.f_lineno if frame is not None else -1
        raised = self.tb_lineno.get(frame, -1) if frame is not None else -1  # type: ignore[attr-defined]
        if self.post_mortem_only and raised != -1:
            current, raised = raised, -1  # the frame has moved on since; what matters is where it failed
        for row in listing(lines, start, current, breaks, raised):
            self.message(row)

    def _validate_file_mtime(self) -> None:
        """Python 3.13 and newer would tell of changed files in its own way, too."""

    def message(self, msg: Any, end: str = "\n") -> None:
        """Say something, within bounds."""
        self.words.write(cut(str(msg)) + end)

    def error(self, msg: Any) -> None:
        """Say that something is wrong, as pdb does."""
        self.message("*** %s" % msg)

    # -- values ------------------------------------------------------------------------------------

    def local_variables(self) -> Any:
        """The local variables of the current frame, as a mapping that can be assigned to."""
        if sys.version_info >= (3, 13) or self.curframe is None:
            return {} if self.curframe is None else self.curframe.f_locals
        return self.curframe_locals  # here f_locals makes a new copy and would lose what was assigned

    def scope(self, code: CodeType) -> Dict[str, Any]:
        """The globals to run code in that was typed at the current frame."""
        assert self.curframe is not None
        return scope(code, self.curframe.f_globals, self.local_variables())

    def _getval(self, arg: str) -> object:
        try:
            code = compile(arg.strip(), "<stdin>", "eval")
            return eval(code, self.scope(code), self.local_variables())
        except BaseException as error:
            self.error(brief(error))
            raise

    def displayhook(self, obj: object) -> None:
        """The value of an expression that was typed as a statement."""
        if obj is not None:
            self.message(value(obj))

    def _safe_repr(self, obj: Any, expr: str) -> str:
        try:
            return value(obj)
        except Exception as error:
            return "*** repr(%s) failed: %s ***" % (expr, describe(error))

    def _msg_val_func(self, arg: str, func: Any) -> None:
        """``p`` and ``pp``."""
        try:
            thing = self._getval(arg)
        except BaseException:
            return  # it has shown the error
        self.message(value(thing, func))

    def do_p(self, arg: str) -> None:
        """p expression: print its value."""
        self._msg_val_func(arg, repr)

    def do_pp(self, arg: str) -> None:
        """pp expression: print its value, one part a line."""
        self._msg_val_func(arg, pprint.pformat)

    def do_args(self, arg: str) -> None:
        """a(rgs): print the arguments of the current function."""
        assert self.curframe is not None
        names, star, stars, values = inspect.getargvalues(self.curframe)
        for name in [*names, *filter(None, (star, stars))]:
            shown = self._safe_repr(values[name], name) if name in values else "*** undefined ***"
            self.message("%s = %s" % (name, shown))

    do_a = do_args

    def help_pdb(self) -> None:
        """The documentation of pdb."""
        self.message(pdb.__doc__)
