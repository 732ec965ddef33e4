"""The debugger: the standard library's pdb, framed exactly, with stops that show themselves.

One text comes in and is used up line by line; then one answer goes out. There is no prompt and no terminal.
Every stop says in one line why and where, and shows the source around it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from types import FrameType, TracebackType
from typing import Any, ContextManager, Dict, Iterator, NoReturn, Optional, Sequence, Set

from .checkpoints import Past, choose, table
from .debugtalk import Conversation
from .debugtrace import TracedProgram, use
from .debugview import Places, Sources, brief, describe, root_cause
from .debugwords import EXPRESSION_CHARACTERS, GOING, LEAVING, POINTS, RESUMING, as_statement, goes_on


class Debugger(TracedProgram):
    """pdb with an agent at the other end."""

    def __init__(
        self, talk: Conversation, places: Places, sources: Sources, past: Past, *, nested: bool = False
    ) -> None:
        super().__init__(talk, places, sources, nested=nested)
        self.past = past
        self.prompt = ""
        self.identchars = "".join(sorted({*self.identchars, *EXPRESSION_CHARACTERS}))
        self._stops = 0
        self._told: Set[str] = set()

    # -- the conversation -----------------------------------------------------------------

    def readline(self, size: int = -1) -> str:
        """The next command, for ``cmd.Cmd``. What a command itself tries to read is empty."""
        if self.executing:
            return ""
        while True:
            while self.talk.lines:
                line = self.talk.lines.popleft()
                if line.strip():
                    return line + "\n"
            self._tell_changes()
            self.interrupted = False
            self.talk.exchange(self.facts())

    def take_line(self, only: Optional[str] = None) -> Optional[str]:
        """See ``BreakpointCommands``."""
        lines = self.talk.lines
        while lines and not lines[0].strip():
            lines.popleft()
        if not lines or (only is not None and lines[0].strip() != only):
            return None
        return lines.popleft()

    def facts(self) -> Dict[str, Any]:
        """Where the program stands, the breakpoints, and the text of files that hold their first one."""
        new = {point.file for point in self.points()} - self._told
        self._told |= new
        texts = {self.places.short(path): "".join(self.sources.lines(path)) for path in new}
        return {
            "stop": self.standing,
            "breakpoints": self.report(),
            "sources": texts,
            "checkpoints": self.past.kept,
        }

    def _tell_changes(self) -> None:
        """Say which files of the stack or with breakpoints are no longer what the program runs."""
        files = {entry[0].f_code.co_filename for entry in self.stack} if self.curframe else set()
        files |= {point.file for point in self.points()}
        for path in self.sources.changed(sorted(path for path in files if self.places.ours(path))):
            self.message("note: %s changed on disk; `restart` runs the new code" % self.places.short(path))

    def onecmd(self, line: str) -> bool:
        """Execute one command. Whatever goes wrong in it is told, and the program stays where it is."""
        word = line.split(maxsplit=1)[0] if line.strip() else ""
        if word in LEAVING:
            self.do_quit("")
        if self.curframe is None and word not in POINTS | {"h", "help"}:
            self.error("no program is being debugged")
            return False
        if self.post_mortem_only and word in RESUMING - GOING:
            self.error(
                "the program failed and cannot go on from here: look around, `restart`, or `c` to let it end"
            )
            return False
        self.executing = True
        try:
            return bool(super().onecmd(as_statement(line, word)))
        except Exception as error:
            self.error(brief(error))
            return False
        finally:
            self.executing = False

    def preloop(self) -> None:
        """Before the first command at a stop: what ``display`` was asked for."""
        self.executing = True
        try:
            super().preloop()
            getattr(self, "_show_display", bool)()  # Python 3.13 and newer
        except KeyboardInterrupt:
            self.error("display took too long")
        finally:
            self.executing = False

    def default(self, line: str) -> None:
        """Execute a statement; one that goes on over several lines takes them from the same text."""
        lines = [line[1:].strip() if line.startswith("!") else line]
        while self.talk.lines and goes_on(lines, self.talk.lines[0]):
            lines.append(self.talk.lines.popleft())
        statement = "\n".join(lines)
        assert self.curframe is not None
        names, values = self.curframe.f_globals, self.local_variables()
        try:
            code = compile(statement + "\n", "<stdin>", "single")
            with self._output_shown():
                in_closure = getattr(self, "_exec_in_closure", None)  # Python 3.13 and newer
                if in_closure is None or not in_closure(statement, names, values):
                    exec(code, self.scope(code), values)  # noqa: S102 - it is what a debugger does
        except BaseException as error:
            self.error(brief(error))

    @contextlib.contextmanager
    def _output_shown(self) -> Iterator[None]:
        """What a statement prints, and the value of an expression, belong to the answer."""
        saved = sys.stdout, sys.displayhook
        sys.stdout, sys.displayhook = self.words, self.displayhook
        try:
            yield
        finally:
            sys.stdout, sys.displayhook = saved

    # -- stopping -----------------------------------------------------------------------------

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
        """See ``TracedProgram``."""
        me = threading.get_ident()
        if self.talk.closed or self.inside == me:
            return
        with self.lock:
            self.stepper = self.inside = me
            self._stops += 1
            if self._stops == 1:
                self.sources.begin()
            flush()
            self.post_mortem_only, self.prefer_ours = frame is None, frame is None or kind == "interrupted"
            before = self.report()
            with self._chain(error):
                self.setup(frame, trace)
                silent = list(script[:1]) == ["silent"]
                leaves = bool(script) and script[-1].split()[0] in RESUMING
                self.stand(kind, error)
                if leaves:
                    self.past.here = 0  # nobody looks: this stop is none to go back to
                elif self._leave_checkpoint():
                    silent, script = False, ()
                if not silent:
                    self.announce(kind, detail, brief=leaves)
                self.talk.lines.extendleft(reversed(script[silent:]))
                if self.talk.lines:  # the answer, which tells of the copy, is not sent at once
                    self.talk.tell({"checkpoints": self.past.kept})
                self._converse()
            said = self.words.take()
            if said or self.report() != before:  # should the program die now, this is known
                self.talk.tell({"breakpoints": self.report(), "output": said})
            self.forget()
            self.standing, self.post_mortem_only, self.inside = None, False, 0
            self.resume(frame or sys._getframe(1))

    def _leave_checkpoint(self) -> bool:
        """Freeze a copy of the program as it stands. True in one that was woken to take its place, and has
        left a new copy."""
        assert self.standing is not None
        woken = False
        while self.past.freeze(self.standing):
            woken = True
            order = self.talk.awake()
            self.past.kept = order["checkpoints"]
            self.message(order["note"] + "\n" + self.past.limits())
            self.replace(order["breakpoints"])
        return woken

    def _converse(self) -> None:
        while True:
            self._cmdloop()
            if not self.interrupted:
                return
            self.announce("interrupted")

    def post_mortem(self, error: BaseException, trace: Optional[TracebackType]) -> None:
        """Show where an exception was raised, and take commands until one lets the program go on."""
        use(None)
        cause = root_cause(error, self.places)
        trace = trace if cause is error else cause.__traceback__
        if trace is None:
            self.message(describe(cause))
            return
        self.stop(None, "post-mortem", describe(cause), trace=trace, error=cause)

    def _chain(self, error: Optional[BaseException]) -> ContextManager[Any]:
        """Python 3.13 and newer: let the ``exceptions`` command walk along the causes of an exception."""
        hold = getattr(self, "_hold_exceptions", None)
        if hold is None or error is None:
            return contextlib.ExitStack()
        return hold(self._get_tb_and_exceptions(error)[0])  # type: ignore[attr-defined, no-any-return]

    # -- going back ---------------------------------------------------------------------------------

    def do_back(self, arg: str) -> None:
        """back [count]: go back to the stop before this one, or that many stops."""
        self._go("back", arg)

    def do_goto(self, arg: str) -> None:
        """goto checkpoint: go back to a stop by its number in the list of ``checkpoints``."""
        self._go("goto", arg)

    def _go(self, word: str, arg: str) -> None:
        try:
            number = choose(word, arg, self.past.kept, self.past.here)
        except ValueError as error:
            self.error(str(error))
            return
        self.talk.give_way(number, self.facts())

    def do_checkpoints(self, arg: str) -> None:
        """checkpoints: list the stops to which ``back`` and ``goto`` can return."""
        self.message(table(self.past.kept, self.past.here))

    def _abandon(self) -> None:
        if not self.past.freezing:
            super()._abandon()

    # -- commands that end or need something else -------------------------------------------------

    def idle(self) -> None:
        """Take breakpoint commands with no program. Does not return."""
        self.reset()
        while True:
            self._cmdloop()

    def finish(self, summary: str) -> None:
        """The program is about to end."""
        use(None)
        self.standing = None
        if summary:
            self.message(summary)
        left = [line.strip() for line in self.talk.lines if line.strip()]
        if left:
            self.message("not executed, because the program ended: " + "; ".join(left))
        self.talk.finish(self.facts())

    def do_quit(self, arg: str) -> NoReturn:
        """q(uit): end the program and the session. The breakpoints stay."""
        self.standing = None
        self.talk.finish({**self.facts(), "quit": True})
        os._exit(0)

    do_q = do_exit = do_EOF = do_quit  # noqa: N815 - pdb's names

    def do_run(self, arg: str) -> None:
        """restart: start the program again, with all breakpoints."""
        self.error("send `restart` as a command of its own")

    do_restart = do_run

    def do_interact(self, arg: str) -> None:
        """interact needs a terminal, which there is none here."""
        self.error(
            "interact needs a terminal: send the statements as commands, one or several lines at a time"
        )

    def do_debug(self, arg: str) -> None:
        """debug code: step through a statement or an expression, then come back here."""
        frame = self.curframe
        assert frame is not None
        nested = Debugger(self.talk, self.places, self.sources, self.past, nested=True)
        nested.breaks, nested.scripts = self.breaks, self.scripts
        trace = sys.gettrace()
        self.message("ENTERING RECURSIVE DEBUGGER")
        try:
            sys.call_tracing(nested.run, (arg, frame.f_globals, self.local_variables()))
        except Exception as error:
            self.error(brief(error))
        self.message("LEAVING RECURSIVE DEBUGGER")
        use(trace)


def flush() -> None:
    """Let out what the program has written so far."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        try:
            stream.flush()  # type: ignore[union-attr]
        except Exception:
            continue
