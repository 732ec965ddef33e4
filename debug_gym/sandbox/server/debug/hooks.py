"""What the debugger takes over in the program: ``breakpoint()``, the interrupts, ``sys.settrace``, forks."""

from __future__ import annotations

import os
import pdb
import signal
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING, Any, Callable, Dict, Optional

from .activity import Activity
from .protocol import INTERRUPT
from .state import State
from .stepping import set_trace_function

if TYPE_CHECKING:
    from typing import Protocol
else:  # Python 3.7 has none
    Protocol = object


class Stoppable(Protocol):
    """What comes to a stop when a hook is reached."""

    def stop(self, frame: Optional[FrameType], kind: str, detail: Callable[[], str] = str) -> None:
        """Show where the program stands, and take commands until one resumes it."""

    def post_mortem(self, error: BaseException) -> None:
        """Show where an exception was raised, and take commands until one lets the program go on."""


class Hooks:
    """The places at which the program reaches the debugger where no trace function is called.

    Args:
        is_own: tells the debugger's trace functions from the program's.
    """

    def __init__(
        self, debugger: Stoppable, state: State, activity: Activity, is_own: Callable[[Any], bool]
    ) -> None:
        self._debugger, self._state, self._activity, self._is_own = debugger, state, activity, is_own
        self._told_of_settrace = False

    def begin(self) -> None:
        """Before the program starts: take over all of them."""
        self.take_breakpoints()
        signal.signal(INTERRUPT, self._interrupt)
        sys.settrace = self._settrace
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)
        else:  # Python 3.6
            os.fork = self._telling(os.fork)

    def take_breakpoints(self) -> None:
        """Make ``breakpoint()``, ``set_trace()`` and ``post_mortem()`` come here, those of ``pdb``, of its
        objects and of ``pytest``, which replaces some of them itself."""

        def set_trace(self_: pdb.Pdb, frame: Optional[FrameType] = None, **options: Any) -> None:
            self._stop(frame or sys._getframe(1), options)

        sys.breakpointhook = pdb.set_trace = self._breakpoint
        pdb.Pdb.set_trace = set_trace  # type: ignore[method-assign, assignment]
        pdb.post_mortem = self._post_mortem
        if "pytest" in sys.modules:
            sys.modules["pytest"].set_trace = self._breakpoint  # type: ignore[attr-defined]

    def _breakpoint(self, *args: Any, **options: Any) -> None:
        self._stop(sys._getframe(1), options)

    def _stop(self, frame: FrameType, options: Dict[str, Any]) -> None:
        set_trace_function(None)
        self._debugger.stop(frame, "breakpoint()", lambda: str(options.get("header") or ""))

    def _post_mortem(self, t: Any = None) -> None:
        if self._activity.inside:
            raise RuntimeError(
                "no debugger inside of the debugger: after a failure, `exceptions result.exception` shows "
                "where an exception was raised that the program has kept"
            )
        error = t if isinstance(t, BaseException) else sys.exc_info()[1]
        if error is None:
            raise ValueError("pdb.post_mortem() needs an exception, or to be called while one is handled")
        self._debugger.post_mortem(error)

    def _interrupt(self, number: int, frame: Optional[FrameType]) -> None:
        if not self._activity.interrupt():
            return
        while frame is not None and self._state.places.debugger(frame.f_code.co_filename):
            frame = frame.f_back  # it came while a trace function was at work
        set_trace_function(None)
        self._debugger.stop(frame, "interrupted")

    def _settrace(self, function: Any) -> None:
        """``sys.settrace`` for the program: two tracers cannot share a thread."""
        caller = sys._getframe(1).f_globals.get("__name__")
        if caller in ("bdb", "pdb") or (caller == "threading" and self._is_own(function)):
            set_trace_function(function)
        elif not self._told_of_settrace and caller != "doctest":  # which only puts back what was there
            self._told_of_settrace = True
            self._state.conversation.output.message(
                "note: the program called sys.settrace(); calls of it are ignored while debugging"
            )

    def _telling(self, fork: Callable[[], int]) -> Callable[[], int]:
        def telling() -> int:
            pid = fork()
            if pid == 0:
                self._after_fork()
            return pid

        return telling

    def _after_fork(self) -> None:
        """A process that the program forked is not debugged."""
        if self._state.conversation.closed or self._state.checkpoints.freezing:
            return
        self._state.conversation.abandon()
        set_trace_function(None)
        threading.settrace(None)
        signal.signal(INTERRUPT, signal.SIG_DFL)
