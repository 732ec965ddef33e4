"""How the debugged program runs and comes to a stop: bdb's stepping, and cheap watching for breakpoints in
between."""

from __future__ import annotations

import bdb
import dis
import sys
import threading
from types import CodeType, FrameType
from typing import Any, Callable, Iterator, Optional, Union

from .activity import Activity
from .breakpoints import Breakpoints, Hit
from .evaluation import evaluate_condition
from .line_watch import MonitoringWatch, SettraceWatch
from .places import Places
from .repeats import Repeats
from .sources import Sources

set_trace_function = sys.settrace
"""The real one: a debugged program gets one that leaves the debugger alone."""
_RETURNS = frozenset(["RETURN_VALUE", "RETURN_CONST"])
"""Else, a generator or coroutine that tells of its return only pauses."""
_ITERATES = frozenset(["FOR_ITER", "YIELD_FROM", "SEND"])


class Stepper(bdb.Bdb):
    """bdb, where it decides when to stop; what happens there is, as in bdb, up to the ``user_`` methods.
    Whoever stops the program calls ``resume`` in the end.

    Args:
        nested: it steps through code for a debugger that stands at a stop itself.
    """

    def __init__(
        self,
        places: Places,
        sources: Sources,
        breakpoints: Breakpoints,
        activity: Activity,
        *,
        nested: bool = False,
    ) -> None:
        bdb.Bdb.__init__(self)  # as pdb.Pdb does: among its bases, another one may follow
        self.places, self.breakpoints, self.activity = places, breakpoints, activity
        self.breaks = breakpoints.by_file
        watch = MonitoringWatch if MonitoringWatch.possible() and not nested else SettraceWatch
        self.watch: Union[MonitoringWatch, SettraceWatch] = watch(self.canonic, self._on_watched_line)
        self.stepper = threading.get_ident()
        """The thread that stopped last: steps end only there."""
        self.free = False
        """The program runs until a breakpoint; else bdb steps."""
        self.hit: Optional[Hit] = None
        """The breakpoint that stops the program now."""
        self._repeats = Repeats(sources)
        self._resumed = 0

    # -- starting and resuming ---------------------------------------------------------------

    def run_to(self, wanted: Callable[[CodeType], bool], stop: Callable[[FrameType], None]) -> None:
        """Let the program run to the first line of a function that is ``wanted``, and call ``stop`` there."""

        def first_line(frame: FrameType, event: str, arg: Any) -> None:
            if event == "line":
                stop(frame)

        def trace(frame: FrameType, event: str, arg: Any) -> Any:
            return first_line if wanted(frame.f_code) else None

        use(trace)

    def resume(self, frame: Optional[FrameType] = None) -> None:
        """Set up tracing for what was last asked: to run freely, or a step of any kind."""
        self._resumed += 1
        frames = list(_outward(frame or sys._getframe(1)))
        self.watch.update(self.breakpoints.wanted(), frames)
        for here in frames:
            if self.free:
                here.f_trace = self.watch.local(here)
            else:
                hidden = self.places.hidden(here.f_code.co_filename)
                here.f_trace = None if hidden else self.trace_dispatch
        threading.settrace(self.watch.trace)
        if self.free:
            use(self.watch.trace)
        else:
            use(self._trace_of_step())

    def _trace_of_step(self) -> Any:
        """The trace function for functions that are called during a step."""
        if self.stopframe is None or self.watch.trace is None:
            return self.trace_dispatch if self.stopframe is None else _ignore
        generator = self.stopframe.f_code.co_flags & bdb.GENERATOR_AND_COROUTINE_FLAGS
        return self._enter if generator else self.watch.trace

    def _enter(self, frame: FrameType, event: str, arg: Any) -> Any:
        """Go on with the step when the generator that it is in is resumed; watch all other functions."""
        watch = self.trace_dispatch if frame is self.stopframe else self.watch.trace
        return watch(frame, event, arg) if watch is not None else None

    # -- what bdb asks and tells ---------------------------------------------------------------

    def trace_dispatch(self, frame: FrameType, event: str, arg: Any) -> Any:
        """See ``bdb``. After a stop, ``resume`` has decided on the frame's trace function."""
        resumed = self._resumed
        result = super().trace_dispatch(frame, event, arg)
        return result if self._resumed == resumed else frame.f_trace

    def dispatch_line(self, frame: FrameType) -> Any:
        """See ``bdb``; but a statement of several lines stops at each of them once."""
        return self.trace_dispatch if self._repeats.at(frame) else super().dispatch_line(frame)

    def dispatch_return(self, frame: FrameType, arg: Any) -> Any:
        """See ``bdb``. When the function of a ``next`` has returned, any line may be the next one. bdb sees a
        generator or coroutine return to a loop or an ``await``, but not to C code or to an event loop."""
        result = super().dispatch_return(frame, arg)
        ended = frame is self.stopframe and _opcode(frame) in _RETURNS
        if ended and (self._called_by_machinery(frame) or _opcode(frame.f_back) not in _ITERATES):
            self._set_stopinfo(None, None)
        if self.stopframe is None and not self.free:
            use(self.trace_dispatch)
        return result

    def stop_here(self, frame: FrameType) -> bool:
        """See ``bdb``: not in other threads, and not in the machinery."""
        if threading.get_ident() != self.stepper or not super().stop_here(frame):
            return False
        if frame is self.stopframe:
            return not self.places.hidden(frame.f_code.co_filename)
        return self.places.stands_in_program(frame)

    def break_anywhere(self, frame: FrameType) -> bool:
        """See ``bdb``: exact, by code object."""
        return self.watch.holds(frame.f_code)

    def break_here(self, frame: FrameType) -> bool:
        """See ``bdb``; but what a condition says when it fails is kept, and it sees all local variables."""
        self.hit = self.breakpoints.hit(frame, self._judge)
        return self.hit is not None

    def _judge(self, condition: str, frame: FrameType) -> Any:
        with self.activity.judgement():
            return evaluate_condition(condition, frame)

    def set_continue(self) -> None:
        """See ``bdb``."""
        self._set_stopinfo(self.botframe, None, -1)
        self.free = True

    def set_return(self, frame: FrameType) -> None:
        """See ``bdb``; out of a generator or coroutine, where bdb would let the program run away, too."""
        generator = frame.f_code.co_flags & bdb.GENERATOR_AND_COROUTINE_FLAGS
        if generator and not self._called_by_machinery(frame):
            self._set_stopinfo(frame.f_back, None)
        else:
            super().set_return(frame)

    def _called_by_machinery(self, frame: FrameType) -> bool:
        return frame.f_back is None or not self.places.stands_in_program(frame.f_back)

    def _set_stopinfo(self, *args: Any, **options: Any) -> None:
        self.free = False
        super()._set_stopinfo(*args, **options)  # type: ignore[misc]

    def returns_through(self, frame: FrameType) -> bool:
        """bdb takes the end of what a coroutine awaits for the end of the one that awaits it."""
        return not self.stop_here(frame) and any(each is self.stopframe for each in _outward(frame.f_back))

    def _on_watched_line(self, frame: FrameType) -> None:
        """The watch saw a line with a breakpoint; bdb decides (condition, ignore count, enabled)."""
        if self.activity.may_stop():
            self.trace_dispatch(frame, "line", None)


def use(trace: Any) -> None:
    """Make a function this thread's trace function."""
    if sys.gettrace() != trace:
        set_trace_function(trace)


def _opcode(frame: Optional[FrameType]) -> str:
    """What a frame is executing."""
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] if frame is not None else ""


def _outward(frame: Optional[FrameType]) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _ignore(frame: FrameType, event: str, arg: Any) -> None:
    """A trace function that traces no new frame; those that have one of their own are traced."""
