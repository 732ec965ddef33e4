"""What the debugger takes over in the program: ``breakpoint()``, the interrupts, ``sys.settrace``, forks."""

from __future__ import annotations

import os
import pdb
import signal
import sys
import threading
from types import FrameType
from typing import Any, Optional

from .stepping import TracedProgram, set_trace_function, use
from .talk import INTERRUPT, Conversation
from .view import Places, Sources


class HookedProgram(TracedProgram):
    """The part of the debugger that stops the program where no trace function is called."""

    def __init__(self, talk: Conversation, places: Places, sources: Sources, *, nested: bool = False) -> None:
        super().__init__(talk, places, sources, nested=nested)
        self.executing = False
        """A command is being executed: an interrupt ends it."""
        self.interrupted = False
        """An interrupt came while the debugger was at work between two commands."""
        self._guarded = False

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
        if self.judging == threading.get_ident():
            raise KeyboardInterrupt
        while frame is not None and self.places.debugger(frame.f_code.co_filename):
            frame = frame.f_back  # it came while a trace function was at work
        use(None)
        self.stop(frame, "interrupted")

    def _guarded_settrace(self, function: Any) -> None:
        """``sys.settrace`` for the program: two tracers cannot share a thread."""
        caller = sys._getframe(1).f_globals.get("__name__")
        if caller in ("bdb", "pdb") or (caller == "threading" and function is self.watch.trace):
            set_trace_function(function)
        elif not self._guarded and caller != "doctest":  # which only puts back what was there
            self._guarded = True
            self.message("note: the program called sys.settrace(); calls of it are ignored while debugging")

    def _abandon(self) -> None:
        """In a process that the program forked: it is not debugged."""
        if not self.talk.closed:
            self.talk.abandon()
            set_trace_function(None)
            threading.settrace(None)
            signal.signal(INTERRUPT, signal.SIG_DFL)
