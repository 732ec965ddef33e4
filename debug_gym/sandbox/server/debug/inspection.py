"""pdb's looks at a program that stands: its stack, source and values, in our own form and within bounds."""

from __future__ import annotations

import contextlib
import inspect
import pdb
import pprint
import sys
from types import FrameType, TracebackType
from typing import Any, Iterator, Optional, Sequence, Tuple

from .activity import Activity
from .display import Display
from .evaluation import evaluate
from .places import Entry
from .rendering import brief, describe, value
from .state import State


class Inspector(pdb.Pdb):
    """pdb, as far as it shows things.

    Args:
        stdin: where it reads commands.
    """

    def __init__(self, state: State, activity: Activity, stdin: Any) -> None:
        self.state, self.activity, self.output = state, activity, state.conversation.output
        super().__init__(
            stdin=stdin,
            stdout=self.output,  # type: ignore[arg-type]
            nosigint=True,
            readrc=False,
        )
        self.display = Display(state.places, state.sources, state.breakpoints, self.output)
        self.post_mortem_only = False
        """The frames belong to a traceback; the program cannot go on from there."""
        self.prefer_ours = False
        """Stand in the innermost frame of the workspace's code, not in a library that it called."""
        self._origin: Tuple[Optional[FrameType], Optional[TracebackType]] = (None, None)
        """The frame and the traceback of which the stack is shown."""

    # -- stack and source --------------------------------------------------------------------

    def message(self, msg: Any, end: str = "\n") -> None:
        """See ``pdb``."""
        self.output.message(msg, end)

    def error(self, msg: Any) -> None:
        """See ``pdb``."""
        self.output.error(msg)

    def get_stack(self, f: Optional[FrameType], t: Optional[TracebackType]) -> Any:
        """See ``bdb``: without the machinery, unless it was asked for."""
        self._origin = f, t
        stack, index = super().get_stack(f, t)
        return self.state.places.visible(stack, index, self.prefer_ours, self.state.settings.machinery)

    def forget(self) -> None:
        """See ``pdb``."""
        super().forget()
        self._origin = None, None

    def print_stack_entry(self, frame_lineno: Entry, prompt_prefix: Any = None) -> None:
        """The frame that ``up``, ``down`` or ``jump`` went to."""
        self.display.frame(frame_lineno)

    def print_stack_trace(self, count: Optional[int] = None) -> None:
        """``where``: the newest ``count`` frames, the oldest if negative, the current one if 0."""
        entries = self.stack
        if count is not None:
            current = [self.stack[self.curindex]]
            entries = current if count == 0 else self.stack[-count:] if count > 0 else self.stack[:-count]
        self.display.stack(entries, self.curframe)

    def _print_lines(
        self, lines: Sequence[str], start: int, breaks: Any = (), frame: Optional[FrameType] = None
    ) -> None:
        """``list``, ``longlist`` and ``source``."""
        current = frame.f_lineno if frame is not None else -1
        raised = self.tb_lineno.get(frame, -1) if frame is not None else -1  # type: ignore[attr-defined]
        if self.post_mortem_only and raised != -1:
            current, raised = raised, -1  # the frame has moved on since; what matters is where it failed
        self.display.lines(lines, start, current, breaks, raised)

    def _validate_file_mtime(self) -> None:
        """Python 3.13 and newer would tell of changed files in its own way, too."""

    def lay_stack_anew(self) -> None:
        """Show the stack as the settings are now, and stay in the current frame, if it is still shown."""
        frame, origin = self.curframe, self._origin
        if frame is None:
            return
        stack, _ = self.get_stack(*origin)
        found = [n for n, (each, _) in enumerate(stack) if each is frame]
        if found:
            self.stack, self.curindex = stack, found[-1]
        else:
            self.setup(*origin)

    @contextlib.contextmanager
    def guarded(self, what: str) -> Iterator[None]:
        """Code of the program's own runs (a ``repr``), which may not end, and may raise anything."""
        try:
            with self.activity.command():
                yield
        except KeyboardInterrupt:
            self.error("%s took too long" % what)
        except BaseException as error:
            self.error("%s failed: %s" % (what, brief(error)))

    def show_changes(self) -> None:
        """If that is wanted: the local variables that changed since the last stop."""
        if self.state.settings.changes and self.curframe is not None:
            with self.guarded("showing the changed variables"):
                self.display.changes(self.curframe, self.local_variables())

    # -- values --------------------------------------------------------------------------------

    def local_variables(self) -> Any:
        """The local variables of the current frame, as a mapping that can be assigned to."""
        if sys.version_info >= (3, 13) or self.curframe is None:
            return {} if self.curframe is None else self.curframe.f_locals
        return self.curframe_locals  # here f_locals makes a new copy and would lose what was assigned

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the current frame."""
        assert self.curframe is not None
        return evaluate(expression, self.curframe.f_globals, self.local_variables())

    def _getval(self, arg: str) -> object:
        try:
            return self.evaluate(arg.strip())
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
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return "*** repr(%s) failed: %s ***" % (expr, describe(error))

    def _msg_val_func(self, arg: str, func: Any) -> None:
        """``p`` and ``pp``."""
        try:
            thing = self._getval(arg)
        except BaseException:
            return  # it has shown the error
        self.message(value(thing, func))

    def do_p(self, arg: str) -> None:
        """Print a value."""
        self._msg_val_func(arg, repr)

    def do_pp(self, arg: str) -> None:
        """Print a value, one part a line."""
        self._msg_val_func(arg, pprint.pformat)

    def do_args(self, arg: str) -> None:
        """Print the arguments of the current function."""
        assert self.curframe is not None
        names, star, stars, values = inspect.getargvalues(self.curframe)
        for name in [*names, *filter(None, (star, stars))]:
            shown = self._safe_repr(values[name], name) if name in values else "*** undefined ***"
            self.message("%s = %s" % (name, shown))

    do_a = do_args
