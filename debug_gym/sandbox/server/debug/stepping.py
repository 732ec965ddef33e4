"""How the debugged program runs and comes to a stop: bdb's stepping, and cheap watching for breakpoints in
between."""

from __future__ import annotations

import bdb
import dis
import sys
import threading
from types import CodeType, FrameType, TracebackType
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Optional, Sequence, Set, Tuple, Union

from .show import Display, scope
from .talk import Conversation
from .view import Places, Sources, brief, describe, value
from .watch import Monitor, Sieve

set_trace_function = sys.settrace
"""The real one: a debugged program gets one that leaves the debugger alone."""
_RETURNS = frozenset(["RETURN_VALUE", "RETURN_CONST"])
"""Else, a generator or coroutine that tells of its return only pauses."""
_ITERATES = frozenset(["FOR_ITER", "YIELD_FROM", "SEND"])
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
        self._script: List[str] = []
        self.judging = 0
        """The thread in which the condition of a breakpoint is evaluated; 0: none."""
        self._condition_problem = ""
        self._resumed = 0

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
        for point in self.get_breaks(frame.f_code.co_filename, frame.f_lineno):
            if point.enabled and self._counts(point, frame):
                self.currentbp, self._script = point.number, self.scripts.get(point.number, [])
                if point.temporary and not self._condition_problem:
                    self.do_clear(str(point.number))
                return True
        return False

    def _counts(self, point: bdb.Breakpoint, frame: FrameType) -> bool:
        """Whether a breakpoint that is reached is to stop the program: one whose condition fails is, too."""
        point.hits += 1
        self._condition_problem, self.judging = "", threading.get_ident()
        try:
            holds = not point.cond or _evaluate(str(point.cond), frame)
        except BaseException as error:  # as in bdb: not even a SystemExit of the condition ends the program
            self._condition_problem = "its condition failed: " + brief(error)
            return True
        finally:
            self.judging = 0
        if holds and point.ignore:
            point.ignore -= 1
            return False
        return bool(holds)

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
        self.stop(frame, "breakpoint %d" % number, self._condition_problem, script=script)

    user_opcode = user_line

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
        if not self.stop_here(frame) and any(each is self.stopframe for each in _outward(frame.f_back)):
            return  # bdb takes the end of what a coroutine awaits for the end of the one that awaits it
        kind, error, trace = exc_info
        frame.f_locals["__exception__"] = kind, error
        internal = "internal " if trace is None and kind is StopIteration else ""
        self.stop(frame, internal + "exception", describe(error), trace=trace)

    def _hit(self, frame: FrameType) -> None:
        """The watch saw a line with a breakpoint; bdb decides (condition, ignore count, enabled)."""
        if self.inside != threading.get_ident() and not self.talk.closed:
            self.trace_dispatch(frame, "line", None)


def _evaluate(condition: str, frame: FrameType) -> Any:
    code, values = compile(condition, "<condition>", "eval"), frame.f_locals
    return eval(code, scope(code, frame.f_globals, values), values)


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
