"""The debugger: the standard library's pdb with an agent at the other end. Every stop says in one line why
and where, shows the source around it, and leaves a checkpoint behind, to which one can go back."""

from __future__ import annotations

import os
import sys
import threading
from types import CodeType, FrameType, TracebackType
from typing import Any, Callable, Optional, Sequence, Tuple

from .activity import Activity
from .commands import RESUMING
from .console import Console
from .conversation import ScriptLine
from .exception_chain import ExceptionChain
from .hooks import Hooks
from .rendering import brief, describe, shown, value
from .state import State
from .stepping import Stepper, use

_ExcInfo = Tuple[type, BaseException, Optional[TracebackType]]


class Debugger(Stepper, Console):
    """pdb's commands over bdb's stepping, each in a form that needs no terminal.

    Args:
        nested: it is to step through code for a debugger that stands at a stop itself.
    """

    def __init__(self, state: State, *, nested: bool = False) -> None:
        activity = Activity(state.conversation)
        Console.__init__(self, state, activity)
        Stepper.__init__(self, state.places, state.sources, state.breakpoints, activity, nested=nested)
        self.nested = nested
        self.hooks = Hooks(self, state, activity, lambda function: function is self.watch.trace)
        self._lock = threading.RLock()
        self._stops = 0
        self._chain: Optional[ExceptionChain] = None
        """The exceptions that there are to look at after a failure."""

    # -- the program's life ---------------------------------------------------------------------

    def begin(self) -> None:
        """Before the program starts."""
        self.reset()
        self.botframe = sys._getframe(1)
        self.set_continue()
        self.hooks.begin()

    def stop_at_first_line(self, wanted: Callable[[CodeType], bool]) -> None:
        """Let the program run until the first line of a function that is ``wanted``."""
        self.run_to(wanted, lambda frame: self.stop(frame, "start"))

    def idle(self) -> None:
        """Take breakpoint commands with no program. Does not return."""
        self.reset()
        while True:
            self._cmdloop()

    def finish(self, summary: str) -> None:
        """The program is about to end."""
        use(None)
        self.state.standing = None
        if summary:
            self.message(summary)
        left = [line.strip() for line in self.conversation.lines if line.strip()]
        if left:
            self.message("not executed, because the program ended: " + "; ".join(left))
        self.conversation.finish(self.state.facts())

    # -- stops ------------------------------------------------------------------------------------

    def stop(
        self,
        frame: Optional[FrameType],
        kind: str,
        detail: Callable[[], str] = str,
        *,
        trace: Optional[TracebackType] = None,
        error: Optional[BaseException] = None,
        script: Sequence[str] = (),
    ) -> None:
        """Show where the program stands, take commands until one resumes it, then resume it.

        Args:
            detail: what there is to say beside where and why; it may need code of the program's own.
            frame: None for a look at a ``trace`` of an ``error``.
            script: a breakpoint's commands.
        """
        if not self.activity.may_stop():
            return
        with self._lock:
            self.stepper = self.activity.inside = threading.get_ident()
            self._stops += 1
            if self._stops == 1:
                self.state.sources.begin()
            flush()
            self.post_mortem_only, self.prefer_ours = frame is None, frame is None or kind == "interrupted"
            before = self.state.lasting()
            self.setup(frame, trace)
            self._take_stand(kind, error)
            text = ""
            with self.guarded("describing it"):
                text = shown(detail)
            self._show(kind, text, script)
            self._converse()
            said, after = self.output.take(), self.state.lasting()
            if said or after != before:  # should the program die now, this is known
                self.conversation.tell({**after, "output": said})
            self.forget()
            self.state.standing, self.post_mortem_only, self.activity.inside = None, False, 0
            self.resume(frame or sys._getframe(1))

    def _take_stand(self, kind: str, error: Optional[BaseException]) -> None:
        self.state.standing = self.display.standing(self.stack[self.curindex], kind, error)

    def _show(self, kind: str, detail: str, script: Sequence[str]) -> None:
        """Leave a checkpoint, unless a breakpoint's commands let the program go on by themselves; tell of the
        stop. In a checkpoint that was gone back to, the commands are not executed again."""
        silent, passes = list(script[:1]) == ["silent"], bool(script) and script[-1].split()[0] in RESUMING
        if passes:
            self.state.checkpoints.here = 0  # nobody looks: this stop is none to go back to
        elif self.state.leave_checkpoint():
            silent, script = False, ()
        if not silent:
            self._announce(kind, detail, source=not passes)
            self.show_changes()
        self.conversation.lines.extendleft(map(ScriptLine, reversed(script[silent:])))
        if self.conversation.lines:  # the answer, which tells of the copy, is not sent at once
            self.conversation.tell({"checkpoints": self.state.checkpoints.entries})

    def _announce(self, kind: str, detail: str = "", *, source: bool = True) -> None:
        assert self.state.standing is not None
        self.display.stop(self.state.standing, kind, detail, self.stack, self.curindex)
        if source:
            self.display.source_of(self.state.standing, self.stack[self.curindex][0])

    def _converse(self) -> None:
        while True:
            self._cmdloop()
            if not self.activity.interrupted:
                return
            self._announce("interrupted")

    # -- what bdb tells -------------------------------------------------------------------------

    def user_call(self, frame: FrameType, argument_list: None) -> None:
        """A step entered a function."""
        if self.stop_here(frame):
            self.stop(frame, "call")

    def user_line(self, frame: FrameType) -> None:
        """A step ended at a line, or a breakpoint was hit."""
        hit, self.hit = self.hit, None
        if hit is None:
            self.stop(frame, "step")
            return
        if hit.temporary and not hit.problem:
            self.breakpoint_commands.clear(str(hit.number))
        problem = hit.problem
        self.stop(frame, "breakpoint %d" % hit.number, lambda: problem, script=hit.script)

    user_opcode = user_line

    def user_return(self, frame: FrameType, return_value: Any) -> None:
        """A function is about to return."""
        frame.f_locals["__return__"] = return_value
        self.stop(frame, "return", lambda: value(return_value))

    def user_exception(self, frame: FrameType, exc_info: _ExcInfo) -> None:
        """An exception passes through the frame in which the program is stepped."""
        if self.returns_through(frame):
            return
        kind, error, trace = exc_info
        frame.f_locals["__exception__"] = kind, error
        internal = "internal " if trace is None and kind is StopIteration else ""
        self.stop(frame, internal + "exception", lambda: describe(error), trace=trace)

    # -- failures ---------------------------------------------------------------------------------

    def post_mortem(self, error: BaseException) -> None:
        """Show where an exception was raised, and take commands until one lets the program go on."""
        use(None)
        self._chain = ExceptionChain(error, self.state.places)
        cause = self._chain.current
        if cause.__traceback__ is None:
            self.message(describe(cause))
        else:
            self.stop(None, "post-mortem", self._chain.describe, trace=cause.__traceback__, error=cause)
        self._chain = None

    def do_exceptions(self, arg: str) -> None:
        """Look at another exception of the chain, or at one that the program has kept; alone, list them."""
        chain = self._chain
        if chain is None:
            self.error("no exception is being looked at: there are some where a test or script has failed")
            return
        if not arg.strip():
            self.message(chain.table())
            return
        try:
            chain.select(arg.strip(), self.evaluate)
        except ValueError as error:
            self.error(str(error))
            return
        self.setup(None, chain.current.__traceback__)
        self._take_stand("post-mortem", chain.current)
        self._announce("post-mortem", chain.describe())

    # -- commands that start or end something ---------------------------------------------------

    def do_quit(self, arg: str) -> bool:
        """End the program and the session. The breakpoints stay. In ``debug``: only end that."""
        if self.nested:
            self.set_quit()
            return True
        self.state.standing = None
        self.conversation.finish({**self.state.facts(), "quit": True})
        os._exit(0)

    do_q = do_exit = do_EOF = do_quit  # noqa: N815 - pdb's names

    def do_debug(self, arg: str) -> None:
        """Step through a statement or an expression, then come back here."""
        frame = self.curframe
        assert frame is not None
        nested = type(self)(self.state, nested=True)
        standing, trace = self.state.standing, sys.gettrace()
        self.message("ENTERING RECURSIVE DEBUGGER")
        try:
            sys.call_tracing(nested.run, (arg, frame.f_globals, self.local_variables()))
        except Exception as error:
            self.error(brief(error))
        self.message("LEAVING RECURSIVE DEBUGGER")
        self.state.standing = standing
        use(trace)


def flush() -> None:
    """Let out what the program has written so far."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        try:
            stream.flush()  # type: ignore[union-attr]
        except Exception:
            continue
