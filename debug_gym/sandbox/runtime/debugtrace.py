"""How the debugged program runs and comes to a stop: bdb's stepping, cheap watching for breakpoints in
between, interrupts, ``breakpoint()`` and threads."""

from __future__ import annotations

import bdb
import os
import pdb
import signal
import sys
import threading
from types import CodeType, FrameType, TracebackType
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Optional, Sequence, Set, Tuple, Union

from .debugshow import Display
from .debugtalk import INTERRUPT, Conversation
from .debugview import Places, Sources, describe, value
from .debugwatch import Monitor, Sieve

_settrace = sys.settrace
"""The real one: a debugged program gets one that leaves the debugger alone."""
_ExcInfo = Tuple[type, BaseException, Optional[TracebackType]]


class TracedProgram(Display):
    """The part of the debugger that decides when to stop. ``stop`` is where every stop ends up."""

    def __init__(self, talk: Conversation, places: Places, sources: Sources, *, nested: bool = False) -> None:
        super().__init__(places, sources, self, talk.words)
        self.talk = talk
        watch = Monitor if Monitor.possible() and not nested else Sieve
        self.watch: Union[Monitor, Sieve] = watch(self.canonic, self._hit)
        self.lock = threading.RLock()
        self.stepper = threading.get_ident()
        """The thread that stopped last: steps end only there."""
        self.inside = 0
        """The thread in which the debugger itself is at work; 0: none."""
        self.free = False
        """The program runs until a breakpoint; else bdb steps."""
        self.executing = False
        """A command is being executed: an interrupt ends it."""
        self.interrupted = False
        """An interrupt came while the debugger was at work between two commands."""
        self._script: List[str] = []
        self._resumed = 0
        self._guarded = False

    def stop(
        self,
        frame: Optional[FrameType],
        kind: str,
        detail: str = "",
        *,
        trace: Optional[TracebackType] = None,
        error: Optional[BaseException] = None,
        script: Sequence[str] = (),
    ) -> None:
        """Show where the program stands, take commands until one resumes it, then call ``resume``.

        ``frame`` is None for a look at a ``trace`` of an ``error``; ``script`` are a breakpoint's commands.
        """
        raise NotImplementedError

    # -- starting and resuming ---------------------------------------------------------------

    def begin(self) -> None:
        """Before the program starts: take over ``breakpoint()``, the interrupts and ``sys.settrace``."""
        self.reset()
        self.botframe = sys._getframe(1)
        self.set_continue()
        self.take_hooks()
        signal.signal(INTERRUPT, self._on_interrupt)
        sys.settrace = self._guarded_settrace
        os.register_at_fork(after_in_child=self._abandon)

    def take_hooks(self) -> None:
        """Make ``breakpoint()`` and ``pdb.set_trace()`` stop here."""
        sys.breakpointhook = self._on_breakpoint
        pdb.set_trace = self._on_breakpoint

    def run_to(self, wanted: Callable[[CodeType], bool], kind: str) -> None:
        """Let the program run until the first line of a function that is ``wanted``."""

        def first_line(frame: FrameType, event: str, arg: Any) -> None:
            if event == "line":
                self.stop(frame, kind)

        def trace(frame: FrameType, event: str, arg: Any) -> Any:
            return first_line if wanted(frame.f_code) else None

        use(trace)

    def resume(self, frame: Optional[FrameType] = None) -> None:
        """Set up tracing for what was last asked: to run freely, or a step of any kind."""
        self._resumed += 1
        frames = list(_outward(frame or sys._getframe(1)))
        self.watch.update(self._wanted(), frames)
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
            use(self.trace_dispatch if self.stopframe is None else self.watch.trace or _ignore)

    def _wanted(self) -> Dict[str, FrozenSet[int]]:
        files: Dict[str, Set[int]] = {}
        for point in self.points():
            if point.enabled:
                files.setdefault(point.file, set()).add(point.line)
        return {path: frozenset(lines) for path, lines in files.items()}

    # -- what bdb asks and tells ---------------------------------------------------------------

    def trace_dispatch(self, frame: FrameType, event: str, arg: Any) -> Any:
        """See ``bdb``. After a stop, ``resume`` has decided on the frame's trace function."""
        resumed = self._resumed
        result = super().trace_dispatch(frame, event, arg)
        return result if self._resumed == resumed else frame.f_trace

    def dispatch_return(self, frame: FrameType, arg: Any) -> Any:
        """See ``bdb``. When the function of a ``next`` has returned, any line may be the next one."""
        result = super().dispatch_return(frame, arg)
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
        """See ``bdb``."""
        scripts = dict(self.scripts)
        if not super().break_here(frame):
            return False
        self._script = scripts.get(self.currentbp, [])
        return True

    def set_continue(self) -> None:
        """See ``bdb``."""
        self._set_stopinfo(self.botframe, None, -1)
        self.free = True

    def set_return(self, frame: FrameType) -> None:
        """See ``bdb``; out of a generator or coroutine, where bdb would let the program run away, too."""
        if frame.f_code.co_flags & bdb.GENERATOR_AND_COROUTINE_FLAGS:
            self._set_stopinfo(frame.f_back, None)
        else:
            super().set_return(frame)

    def _set_stopinfo(self, *args: Any, **options: Any) -> None:
        self.free = False
        super()._set_stopinfo(*args, **options)  # type: ignore[misc]

    def user_call(self, frame: FrameType, argument_list: None) -> None:
        """A step entered a function."""
        if self.stop_here(frame):
            self.stop(frame, "call")

    def user_line(self, frame: FrameType) -> None:
        """A step ended at a line, or a breakpoint was hit."""
        number, self.currentbp = getattr(self, "currentbp", 0), 0
        if not number:
            self.stop(frame, "step")
            return
        script, self._script = self._script, []
        self.stop(frame, "breakpoint %d" % number, self._condition_problem(number, frame), script=script)

    user_opcode = user_line

    def _condition_problem(self, number: int, frame: FrameType) -> str:
        """bdb stops where a condition cannot be evaluated; say so."""
        points = [point for point in self.points() if point.number == number and point.cond]
        try:
            for point in points:
                eval(str(point.cond), frame.f_globals, frame.f_locals)
        except Exception as error:
            return "its condition failed: %s: %s" % (type(error).__name__, error)
        return ""

    def user_return(self, frame: FrameType, return_value: Any) -> None:
        """A function is about to return."""
        frame.f_locals["__return__"] = return_value
        try:
            detail = value(return_value)
        except Exception as error:
            detail = "a value whose repr fails: %s" % error
        self.stop(frame, "return", detail)

    def user_exception(self, frame: FrameType, exc_info: _ExcInfo) -> None:
        """An exception passes through the frame in which the program is stepped."""
        kind, error, trace = exc_info
        frame.f_locals["__exception__"] = kind, error
        internal = "internal " if trace is None and kind is StopIteration else ""
        self.stop(frame, internal + "exception", describe(error), trace=trace)

    # -- stops that are no trace events ----------------------------------------------------------

    def _hit(self, frame: FrameType) -> None:
        """The watch saw a line with a breakpoint; bdb decides (condition, ignore count, enabled)."""
        if self.inside != threading.get_ident() and not self.talk.closed:
            self.trace_dispatch(frame, "line", None)

    def _on_breakpoint(self, *args: Any, **options: Any) -> None:
        """``breakpoint()`` or ``pdb.set_trace()`` in the program."""
        use(None)
        self.stop(sys._getframe(1), "breakpoint()", str(options.get("header") or ""))

    def _on_interrupt(self, number: int, frame: Optional[FrameType]) -> None:
        """The program, or a command, has run for too long."""
        if self.talk.waiting or self.talk.closed:
            return
        self.talk.lines.clear()
        if self.inside:
            self.interrupted = True
            if self.executing and self.inside == threading.get_ident():
                raise KeyboardInterrupt
            return
        while frame is not None and self.places.debugger(frame.f_code.co_filename):
            frame = frame.f_back  # it came while a trace function was at work
        use(None)
        self.stop(frame, "interrupted")

    def _guarded_settrace(self, function: Any) -> None:
        """``sys.settrace`` for the program: two tracers cannot share a thread."""
        caller = sys._getframe(1).f_globals.get("__name__")
        if caller in ("bdb", "pdb") or (caller == "threading" and function is self.watch.trace):
            _settrace(function)
        elif not self._guarded:
            self._guarded = True
            self.message("note: the program called sys.settrace(); calls of it are ignored while debugging")

    def _abandon(self) -> None:
        """In a process that the program forked: it is not debugged."""
        if not self.talk.closed:
            self.talk.abandon()
            _settrace(None)
            threading.settrace(None)
            signal.signal(INTERRUPT, signal.SIG_DFL)


def use(trace: Any) -> None:
    """Make a function this thread's trace function."""
    if sys.gettrace() != trace:
        _settrace(trace)


def _outward(frame: Optional[FrameType]) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _ignore(frame: FrameType, event: str, arg: Any) -> None:
    """A trace function that traces no new frame; those that have one of their own are traced."""
