"""What the debugger shows of a program that stands: the stop, its frames, and their source."""

from __future__ import annotations

import itertools
import threading
from types import FrameType
from typing import Any, Dict, List, Optional, Sequence, Tuple

from .breakpoints import Breakpoints
from .changes import Changes
from .output import Output
from .places import Entry, Places
from .rendering import AROUND, cut, listing
from .sources import Sources

MAX_EQUAL = 5
"""Frames at the same place that ``where`` shows one by one; more of them are a recursion."""

Standing = Dict[str, Any]
"""Where the program stands: ``file``, ``line``, ``function``, ``reason``."""


class Display:
    """Writes stops, frames and source."""

    def __init__(self, places: Places, sources: Sources, breakpoints: Breakpoints, output: Output) -> None:
        self._places, self._sources, self._breakpoints = places, sources, breakpoints
        self._output = output
        self._changes = Changes()

    def standing(self, entry: Entry, kind: str, error: Optional[BaseException]) -> Standing:
        """Where the program stands: in a frame, or where its source cannot be compiled."""
        frame, line = entry
        filename, function = frame.f_code.co_filename, frame.f_code.co_name
        if isinstance(error, SyntaxError) and error.filename and not self._places.ours(filename):
            filename, line, function = error.filename, error.lineno or 1, "<module>"
        return {"file": self._places.short(filename), "line": line, "function": function, "reason": kind}

    def stop(self, standing: Standing, kind: str, detail: str, stack: Sequence[Entry], index: int) -> None:
        """One line that says why and where the program stands: at ``index`` of its stack."""
        first, _, rest = cut(detail, 2_000).partition("\n")
        place = "%s at %s:%d in %s" % (kind, standing["file"], standing["line"], standing["function"])
        thread = threading.current_thread()
        if thread is not threading.main_thread():
            place += " [%s]" % thread.name
        self._output.message(place + (": " + first if first else ""))
        for line in rest.split("\n") if rest else ():
            self._output.message(("    " + line).rstrip())
        if index < len(stack) - 1:
            self._output.message("    (deeper, in %s; `down` goes there)" % self._place(stack[-1]))

    def source_of(self, standing: Standing, frame: FrameType) -> None:
        """The source around the line where the program stands."""
        self._around(self._places.full(standing["file"]), standing["line"], frame)

    def frame(self, entry: Entry) -> None:
        """A frame that was gone to, and the source around its line."""
        self._output.message("frame at " + self._place(entry))
        self._around(entry[0].f_code.co_filename, entry[1], entry[0])

    def stack(self, entries: Sequence[Entry], current: Optional[FrameType]) -> None:
        """Frames, outermost first, ``->`` before the current one."""
        for (place, source), group in itertools.groupby(entries, self._row):
            frames = [frame for frame, _ in group]
            ends = frames if len(frames) <= MAX_EQUAL else (frames[0], frames[-1])
            for frame in frames:
                if frame in ends or frame is current:
                    self._output.message(("-> " if frame is current else "   ") + place)
                    if source:
                        self._output.message("       " + source)
                if frame is frames[0] and len(frames) > MAX_EQUAL:
                    self._output.message(
                        "       [... %d frames of this recursion, then ...]" % (len(frames) - 2)
                    )

    def lines(self, lines: Sequence[str], first: int, current: int, breaks: Any, raised: int) -> None:
        """Source from line ``first`` on."""
        for row in listing(lines, first, current, breaks, raised):
            self._output.message(row)

    def changes(self, frame: FrameType, variables: Any) -> None:
        """The local variables that changed since the last stop in this function."""
        depth, outer = 0, frame.f_back
        while outer is not None:
            depth, outer = depth + 1, outer.f_back
        for line in self._changes.look((frame.f_code, depth), variables):
            self._output.message("    " + line)

    def forget_changes(self) -> None:
        """Compare with nothing that was seen so far."""
        self._changes = Changes()

    def _around(self, filename: str, line: int, frame: FrameType) -> None:
        lines = self._sources.lines(filename, frame.f_globals)
        first = max(1, line - AROUND)
        self.lines(lines[first - 1 : line + AROUND], first, line, self._breakpoints.lines(filename), -1)

    def _place(self, entry: Entry) -> str:
        code = entry[0].f_code
        return "%s:%d in %s" % (self._places.short(code.co_filename), entry[1], code.co_name)

    def _row(self, entry: Entry) -> Tuple[str, str]:
        """A frame's place, and its line of source."""
        frame, line = entry
        lines: List[str] = self._sources.lines(frame.f_code.co_filename, frame.f_globals)
        return self._place(entry), cut(lines[line - 1].strip(), 200) if 0 < line <= len(lines) else ""
