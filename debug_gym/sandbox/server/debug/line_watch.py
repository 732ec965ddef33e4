"""Watching for breakpoints while a program runs freely, at next to no cost for code that holds none.

The standard library's bdb traces every line of every function in a file that holds a breakpoint, which slows
loops down some 40 times. Here only code objects that contain a breakpoint's line are watched: by a trace
function for those frames alone, or, where the interpreter has ``sys.monitoring`` (Python 3.12), by events on
those code objects alone. Stepping is left to bdb.
"""

from __future__ import annotations

import dis
import sys
from types import CodeType, FrameType
from typing import Any, Callable, Dict, FrozenSet, Iterable, List, Optional, Tuple

Trace = Callable[[FrameType, str, Any], Any]
Hit = Callable[[FrameType], None]
"""Called with a frame that is about to run a line with a breakpoint."""

_MANY = 50_000
_monitoring: Any = getattr(sys, "monitoring", None)


def code_lines(code: CodeType) -> FrozenSet[int]:
    """The lines that a code object can stop at."""
    return frozenset(line for _, line in dis.findlinestarts(code) if line is not None)


class _WantedLines:
    """Which lines of which code objects hold a breakpoint."""

    def __init__(self, canonic: Callable[[str], str]) -> None:
        self._canonic = canonic
        self.wanted: Dict[str, FrozenSet[int]] = {}
        """Canonical file name to the lines with a breakpoint."""

    def set(self, wanted: Dict[str, FrozenSet[int]]) -> bool:
        """Take the breakpoints as they are now; True if they changed."""
        changed, self.wanted = wanted != self.wanted, wanted
        return changed

    def of_code(self, code: CodeType) -> FrozenSet[int]:
        """The lines wanted in a code object."""
        lines = self.wanted.get(self._canonic(code.co_filename))
        return lines & code_lines(code) if lines else frozenset()


class SettraceWatch:
    """Watches by ``sys.settrace``: one cheap look at each call, and line events only where needed."""

    def __init__(self, canonic: Callable[[str], str], hit: Hit) -> None:
        self._lines = _WantedLines(canonic)
        self._hit = hit
        self._known: Dict[int, Optional[Trace]] = {}
        self._codes: List[CodeType] = []  # keeps them alive, so that an id in ``_known`` stays one's own
        self._trace = self._make_trace()

    def update(self, wanted: Dict[str, FrozenSet[int]], running: Iterable[FrameType]) -> None:
        """Watch these lines; ``running`` are the frames that run already (theirs is ``local``)."""
        if self._lines.set(wanted):
            self._known.clear()
            self._codes.clear()

    @property
    def trace(self) -> Optional[Trace]:
        """The trace function for threads that run freely; None if there is nothing to watch for."""
        return self._trace if self._lines.wanted else None

    def holds(self, code: CodeType) -> bool:
        """Whether a code object contains a breakpoint."""
        return self._local(code) is not None

    def local(self, frame: FrameType) -> Optional[Trace]:
        """The trace function for a frame that runs freely."""
        return self._local(frame.f_code)

    def _local(self, code: CodeType) -> Optional[Trace]:
        if len(self._codes) > _MANY:  # a program that compiles all the time
            self._known.clear()
            self._codes.clear()
        if id(code) not in self._known:
            lines = self._lines.of_code(code)
            self._codes.append(code)
            self._known[id(code)] = self._make_local(lines) if lines else None
        return self._known[id(code)]

    def _make_trace(self) -> Trace:
        unknown = object()

        def trace(
            frame: FrameType,
            event: str,
            arg: Any,
            lookup: Callable[[int, Any], Any] = self._known.get,
            identity: Callable[[CodeType], int] = id,  # as defaults: this runs at every call of the program
        ) -> Any:
            local = lookup(identity(frame.f_code), unknown)
            return self._local(frame.f_code) if local is unknown else local

        return trace

    def _make_local(self, lines: FrozenSet[int]) -> Trace:
        hit = self._hit

        def local(frame: FrameType, event: str, arg: Any) -> None:
            """Returning None leaves the frame's trace function as it is, or as ``hit`` has set it."""
            if frame.f_lineno in lines and event == "line":
                hit(frame)

        return local


class MonitoringWatch:
    """Watches by ``sys.monitoring``: events on the very lines, so that all other code runs at full speed."""

    trace: Optional[Trace] = None
    """No thread that runs freely needs a trace function."""

    def __init__(self, canonic: Callable[[str], str], hit: Hit) -> None:
        self._lines = _WantedLines(canonic)
        self._hit = hit
        self._watched: Dict[int, Tuple[CodeType, FrozenSet[int]]] = {}
        self._on = False

    @staticmethod
    def possible() -> bool:
        """The interpreter has it, and no other debugger uses it."""
        return _monitoring is not None and _monitoring.get_tool(_monitoring.DEBUGGER_ID) is None

    def update(self, wanted: Dict[str, FrozenSet[int]], running: Iterable[FrameType]) -> None:
        """Watch these lines; ``running`` are the frames that run already."""
        changed = self._lines.set(wanted)
        if not wanted and not self._on:
            return
        if not self._on:
            self._switch_on()
        if changed:
            for code, _ in self._watched.values():
                _monitoring.set_local_events(_monitoring.DEBUGGER_ID, code, 0)
            self._watched.clear()
            _monitoring.restart_events()
        for frame in running:
            self._watch(frame.f_code)

    def _switch_on(self) -> None:
        tool, events = _monitoring.DEBUGGER_ID, _monitoring.events
        _monitoring.use_tool_id(tool, "debug-gym")
        _monitoring.register_callback(tool, events.PY_START, self._on_start)
        _monitoring.register_callback(tool, events.PY_RESUME, self._on_start)
        _monitoring.register_callback(tool, events.LINE, self._on_line)
        _monitoring.set_events(tool, events.PY_START | events.PY_RESUME)
        self._on = True

    def holds(self, code: CodeType) -> bool:
        """Whether a code object contains a breakpoint."""
        return id(code) in self._watched or bool(self._lines.of_code(code))

    def local(self, frame: FrameType) -> Optional[Trace]:
        """No frame needs a trace function."""
        return None

    def _watch(self, code: CodeType) -> None:
        lines = () if id(code) in self._watched else self._lines.of_code(code)
        if lines:
            self._watched[id(code)] = (code, lines)
            _monitoring.set_local_events(_monitoring.DEBUGGER_ID, code, _monitoring.events.LINE)

    def _on_start(self, code: CodeType, offset: int) -> Any:
        """Code begins to run, for the first time since the breakpoints changed."""
        self._watch(code)
        return _monitoring.DISABLE

    def _on_line(self, code: CodeType, line: int) -> Any:
        watched = self._watched.get(id(code))
        if watched is None or line not in watched[1]:
            return _monitoring.DISABLE
        frame = sys._getframe(1)
        if frame.f_trace is None or sys.gettrace() is None:  # else bdb steps here, and sees the breakpoint
            self._hit(frame)
        return None
