"""How the debugger is told what to do: one text comes in and is used up line by line, then one answer goes
out. There is no prompt and no terminal."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any, Dict, Iterator, Optional, Set

from ..checkpoints import Past
from .hooks import HookedProgram
from .stepping import use
from .talk import Conversation
from .view import Places, Sources, brief
from .words import (
    EXPRESSION_CHARACTERS,
    GOING,
    LEAVING,
    RESUMING,
    WITHOUT_PROGRAM,
    as_statement,
    goes_on,
)


class Commanded(HookedProgram):
    """The part of the debugger that executes commands and statements."""

    def __init__(
        self, talk: Conversation, places: Places, sources: Sources, past: Past, *, nested: bool = False
    ) -> None:
        super().__init__(talk, places, sources, nested=nested)
        self.past = past
        self.prompt = ""
        self.identchars = "".join(sorted({*self.identchars, *EXPRESSION_CHARACTERS}))
        self._nested = nested
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
            "sources": texts,
            "checkpoints": self.past.kept,
            **self.of_the_session(),
        }

    def of_the_session(self) -> Dict[str, Any]:
        """What outlives the program."""
        return {"breakpoints": self.report(), "settings": self.report_settings()}

    def _tell_changes(self) -> None:
        """Say which files of the stack or with breakpoints are no longer what the program runs."""
        files = {entry[0].f_code.co_filename for entry in self.stack} if self.curframe else set()
        files |= {point.file for point in self.points()}
        for path in self.sources.changed(sorted(path for path in files if self.places.ours(path))):
            self.message("note: %s changed on disk; `restart` runs the new code" % self.places.short(path))

    def onecmd(self, line: str) -> bool:
        """Execute one command. Whatever goes wrong in it is told, and the program stays where it is."""
        self.past.settle()
        line = as_statement(line)
        word = line.split(maxsplit=1)[0] if line.strip() else ""
        if word in LEAVING:
            return self.do_quit("")
        if self.curframe is None and word not in WITHOUT_PROGRAM:
            self.error("no program is being debugged")
            return False
        if self.post_mortem_only and word in RESUMING - GOING:
            self.error(
                "the program failed and cannot go on from here: look around, `restart`, or `c` to let it end"
            )
            return False
        self.executing = True
        try:
            return bool(super().onecmd(line))
        except BaseException as error:  # also one that a `repr` raises must not end the program
            self.error(brief(error))
            return False
        finally:
            self.executing = False

    def preloop(self) -> None:
        """Before the first command at a stop: what ``display`` was asked for."""
        with self._interruptible("display"):
            super().preloop()
            getattr(self, "_show_display", bool)()  # Python 3.13 and newer

    def tell_changes(self) -> None:
        """At a stop, before anything else is executed: the variables that changed, if that is wanted."""
        with self._interruptible("showing the changed variables"):
            self.list_changes()

    @contextlib.contextmanager
    def _interruptible(self, what: str) -> Iterator[None]:
        """Code of the program's own runs (a ``repr``), which may not end."""
        self.executing = True
        try:
            yield
        except KeyboardInterrupt:
            self.error("%s took too long" % what)
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

    def do_quit(self, arg: str) -> bool:
        """q(uit): end the program and the session. The breakpoints stay. In ``debug``: only end that."""
        if self._nested:
            self.set_quit()
            return True
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
        nested = type(self)(self.talk, self.places, self.sources, self.past, nested=True)
        nested.breaks, nested.scripts = self.breaks, self.scripts
        nested.settings, nested.aliases = self.settings, self.aliases
        trace = sys.gettrace()
        self.message("ENTERING RECURSIVE DEBUGGER")
        try:
            sys.call_tracing(nested.run, (arg, frame.f_globals, self.local_variables()))
        except Exception as error:
            self.error(brief(error))
        self.message("LEAVING RECURSIVE DEBUGGER")
        use(trace)
