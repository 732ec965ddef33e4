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
from typing import Any, Callable, Dict, FrozenSet, Iterable, Optional, Tuple

Trace = Callable[[FrameType, str, Any], Any]
Hit = Callable[[FrameType], None]
"""Called with a frame that is about to run a line with a breakpoint."""

_monitoring: Any = getattr(sys, "monitoring", None)


def code_lines(code: CodeType) -> FrozenSet[int]:
    """The lines that a code object can stop at."""
    return frozenset(line for _, line in dis.findlinestarts(code) if line is not None)


class _Lines:
    """Which code objects hold a breakpoint."""

    def __init__(self, canonic: Callable[[str], str]) -> None:
        self._canonic = canonic
        self.wanted: Dict[str, FrozenSet[int]] = {}
        """Canonical file name to the lines with a breakpoint."""
        self._by_name: Dict[str, FrozenSet[int]] = {}
        self._codes: Dict[int, Tuple[CodeType, FrozenSet[int]]] = {}  # keeps the code: its id stays its own

    def set(self, wanted: Dict[str, FrozenSet[int]]) -> bool:
        """Take the breakpoints as they are now; True if they changed."""
        if wanted == self.wanted:
            return False
        self.wanted = wanted
        self._by_name.clear()
        self._codes.clear()
        return True

    def of_file(self, filename: str) -> FrozenSet[int]:
        """The lines wanted in the file that code objects name so."""
        lines = self._by_name.get(filename)
        if lines is None:
            lines = self._by_name[filename] = self.wanted.get(self._canonic(filename), frozenset())
        return lines

    def of_code(self, code: CodeType) -> FrozenSet[int]:
        """The lines wanted in a code object."""
        found = self._codes.get(id(code))
        if found is None:
            lines = self.of_file(code.co_filename)
            found = self._codes[id(code)] = (code, lines & code_lines(code) if lines else lines)
        return found[1]


class Sieve:
    """Watches by ``sys.settrace``: one cheap look at each call, and line events only where needed."""

    def __init__(self, canonic: Callable[[str], str], hit: Hit) -> None:
        self._lines = _Lines(canonic)
        self._hit = hit
        self._locals: Dict[str, Optional[Trace]] = {}
        self._trace = self._make_trace()

    def update(self, wanted: Dict[str, FrozenSet[int]], running: Iterable[FrameType]) -> None:
        """Watch these lines; ``running`` are the frames that run already (theirs is ``local``)."""
        if self._lines.set(wanted):
            self._locals.clear()

    @property
    def trace(self) -> Optional[Trace]:
        """The trace function for threads that run freely; None if there is nothing to watch for."""
        return self._trace if self._lines.wanted else None

    def holds(self, code: CodeType) -> bool:
        """Whether a code object contains a breakpoint."""
        return bool(self._lines.of_code(code))

    def local(self, frame: FrameType) -> Optional[Trace]:
        """The trace function for a frame that runs freely."""
        return self._local(frame.f_code.co_filename) if self.holds(frame.f_code) else None

    def _local(self, filename: str) -> Optional[Trace]:
        if filename not in self._locals:
            lines = self._lines.of_file(filename)
            self._locals[filename] = self._make_local(lines) if lines else None
        return self._locals[filename]

    def _make_trace(self) -> Trace:
        known, unknown = self._locals, object()
        lookup, find = known.get, self._local

        def trace(frame: FrameType, event: str, arg: Any) -> Any:
            code = frame.f_code
            local = lookup(code.co_filename, unknown)
            if local is None:
                return None
            if local is unknown:
                local = find(code.co_filename)
            return local if local is not None and self.holds(code) else None

        return trace

    def _make_local(self, lines: FrozenSet[int]) -> Trace:
        hit = self._hit

        def local(frame: FrameType, event: str, arg: Any) -> None:
            """Returning None leaves the frame's trace function as it is, or as ``hit`` has set it."""
            if event == "line" and frame.f_lineno in lines:
                hit(frame)

        return local


class Monitor:
    """Watches by ``sys.monitoring``: events on the very lines, so that all other code runs at full speed."""

    trace: Optional[Trace] = None
    """No thread that runs freely needs a trace function."""

    def __init__(self, canonic: Callable[[str], str], hit: Hit) -> None:
        self._lines = _Lines(canonic)
        self._hit = hit
        self._watched: Dict[int, CodeType] = {}
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
            for code in self._watched.values():
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
        return bool(self._lines.of_code(code))

    def local(self, frame: FrameType) -> Optional[Trace]:
        """No frame needs a trace function."""
        return None

    def _watch(self, code: CodeType) -> None:
        if id(code) not in self._watched and self._lines.of_file(code.co_filename) and self.holds(code):
            self._watched[id(code)] = code
            _monitoring.set_local_events(_monitoring.DEBUGGER_ID, code, _monitoring.events.LINE)

    def _on_start(self, code: CodeType, offset: int) -> Any:
        """Code begins to run, for the first time since the breakpoints changed."""
        self._watch(code)
        return _monitoring.DISABLE

    def _on_line(self, code: CodeType, line: int) -> Any:
        if line not in self._lines.of_code(code):
            return _monitoring.DISABLE
        frame = sys._getframe(1)
        if frame.f_trace is None or sys.gettrace() is None:  # else bdb steps here, and sees the breakpoint
            self._hit(frame)
        return None
