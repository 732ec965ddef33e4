"""Watching a traced program by ``sys.settrace``: each call of a Python function costs a look into a dict."""

from __future__ import annotations

import dis
import sys
import threading
from types import CodeType, FrameType
from typing import Any, Callable, Dict, Optional, Tuple

from .record import describe
from .watch import Bound, Watch

Trace = Callable[[FrameType, str, Any], Any]

_MANY = 50_000
"""Code objects that are remembered: some programs compile all the time."""
_settrace = sys.settrace
"""The real one."""
_SELECTIVE = sys.version_info >= (3, 7)
"""A frame can say which events it wants."""
_YIELD_FROM = dis.opmap.get("YIELD_FROM", -1)
"""Before Python 3.11, a frame that waits stands in front of this instruction, to run it again."""


class Tracer(Watch):
    """Watches by ``sys.settrace``, which the program cannot use meanwhile."""

    def start(self) -> None:
        """See ``Watch``."""
        self._locals: Dict[int, Tuple[CodeType, Optional[Trace]]] = {}
        self._trace = self._make_trace()
        self._refused = False
        sys.settrace = self._refuse
        threading.settrace(self._trace)
        _settrace(self._trace)

    def check(self) -> None:
        """See ``Watch``."""
        if sys.gettrace() is not self._trace:
            self.recorder.note(
                "tracing was switched off in between, by a tool such as coverage or at the recursion limit: "
                "rows may be missing"
            )
            _settrace(self._trace)

    def _refuse(self, function: Any) -> None:
        """``sys.settrace`` for the program: two tracers cannot share a thread."""
        if function is not self._trace and not self._refused:
            self._refused = True
            frame = sys._getframe(1)
            place = "%s:%d" % (self.recorder.short(frame.f_code.co_filename), frame.f_lineno)
            self.recorder.note("the program called sys.settrace() at %s, which had no effect" % place)
        _settrace(self._trace)

    def _make_trace(self) -> Trace:
        known, make = self._locals, self._local

        def trace(
            frame: FrameType,
            event: str,
            arg: Any,
            lookup: Callable[[int], Any] = known.get,
            identity: Callable[[CodeType], int] = id,  # as defaults: this runs at every call of the program
        ) -> Any:
            entry = lookup(identity(frame.f_code))
            if entry is None:
                entry = make(frame.f_code)
            return None if entry[1] is None else entry[1](frame, event, arg)

        return trace

    def _local(self, code: CodeType) -> Tuple[CodeType, Optional[Trace]]:
        if len(self._locals) > _MANY:
            self._locals.clear()
        bound = self.bind(code)
        entry = (code, None if bound is None else self._make_local(bound))
        self._locals[id(code)] = entry
        return entry

    def _make_local(self, bound: Bound) -> Trace:
        lines, plan = bound.plan.lines, bound.plan
        errors: Dict[int, Tuple[int, str]] = {}

        def local(frame: FrameType, event: str, arg: Any) -> Any:
            if event == "line":
                if frame.f_lineno in lines:
                    self.reached(bound, frame)
            elif event == "opcode":
                self.stepped(bound, frame, frame.f_lasti)
            elif event == "call":
                if _SELECTIVE:
                    frame.f_trace_lines, frame.f_trace_opcodes = bool(lines), bool(bound.stores)
                if _at_start(frame):
                    self.began(bound, frame)
            elif event == "exception" and plan.calls:
                errors[id(frame)] = (frame.f_lasti, describe(arg[1]))  # in words: it shall not live longer
            elif event == "return" and plan.calls:
                self._left(bound, frame, arg, errors.pop(id(frame), (-1, "")))
            return local

        return local

    def _left(self, bound: Bound, frame: FrameType, value: Any, error: Tuple[int, str]) -> None:
        """A frame returned, yielded or is left by an exception: all three are the event ``return``."""
        code, at = frame.f_code.co_code, frame.f_lasti
        waits = dis.opname[code[at]].startswith("YIELD") or (
            at + 2 < len(code) and code[at + 2] == _YIELD_FROM
        )
        if dis.opname[code[at]] == "RETURN_VALUE":
            self.recorder.returned(bound.plan, frame, value)
        elif waits and error[0] != at:
            self.gave(bound, frame, value)
        else:
            self.recorder.raised(bound.plan, frame, error[1] or "an exception")


def _at_start(frame: FrameType) -> bool:
    """Not a generator that goes on."""
    at = frame.f_lasti
    if at < 0:
        return True
    code = frame.f_code.co_code
    return dis.opname[code[at]] == "RESUME" and code[at + 1] == 0
