"""pdb without a terminal: one text of commands comes in and is used up line by line, then one answer goes
out. The breakpoint commands check before they set."""

from __future__ import annotations

import contextlib
import pdb
import sys
from typing import Any, Iterator

from .activity import Activity
from .breakpoint_commands import BreakpointCommands
from .commands import BY_WORD, CONTINUING, ENDING, RESUMING, WITHOUT_PROGRAM
from .evaluation import scope
from .inspection import Inspector
from .locations import Locator
from .rendering import brief
from .state import State
from .statements import EXPRESSION_CHARACTERS, as_statement, take_statement


class Console(Inspector):
    """pdb, as far as it takes commands. When to stop is for others to decide."""

    def __init__(self, state: State, activity: Activity) -> None:
        super().__init__(state, activity, stdin=self)
        self.conversation = state.conversation
        self.prompt = ""
        self.identchars = "".join(sorted({*self.identchars, *EXPRESSION_CHARACTERS}))
        self.aliases = state.settings.aliases
        self.breakpoint_commands = BreakpointCommands(
            state.breakpoints,
            Locator(state.places, state.sources, self.lookupmodule),
            state.places,
            self.conversation,
        )

    # -- commands come in --------------------------------------------------------------------

    def readline(self, size: int = -1) -> str:
        """The next command, for ``cmd.Cmd``. What a command itself tries to read is empty."""
        if self.activity.executing:
            return ""
        while True:
            line = self.conversation.take_line()
            if line is not None:
                return line + "\n"
            self.state.tell_changed_files(entry[0].f_code.co_filename for entry in self.stack)
            self.activity.interrupted = False
            self.conversation.exchange(self.state.facts())

    def onecmd(self, line: str) -> bool:
        """Execute one command. Whatever goes wrong in it is told, and the program stays where it is."""
        self.state.checkpoints.settle()
        line = as_statement(line)
        word = line.split(maxsplit=1)[0] if line.strip() else ""
        if word in ENDING:
            return bool(self.do_quit(""))
        if word in BY_WORD and not BY_WORD[word].argument and line[len(word) :].strip().isdigit():
            self.error("`%s` takes no count: send it several times, one a line" % word)
            return False
        if self.curframe is None and word not in WITHOUT_PROGRAM:
            self.error("no program is being debugged")
            return False
        if self.post_mortem_only and word in RESUMING - CONTINUING:
            self.error(
                "the program failed and cannot go on from here: look around, `restart`, or `c` to let it end"
            )
            return False
        try:
            with self.activity.command():
                return bool(super().onecmd(line))
        except BaseException as error:  # also one that a `repr` raises must not end the program
            self.error(brief(error))
            return False

    def preloop(self) -> None:
        """Before the first command at a stop: what ``display`` was asked for."""
        with self.guarded("display"):
            super().preloop()
            getattr(self, "_show_display", bool)()  # Python 3.13 and newer

    def default(self, line: str) -> None:
        """Execute a statement; one that goes on over several lines takes them from the same text."""
        statement = take_statement(line, self.conversation.lines)
        assert self.curframe is not None
        names, values = self.curframe.f_globals, self.local_variables()
        try:
            code = compile(statement + "\n", "<stdin>", "single")
            with self._output_shown():
                in_closure = getattr(self, "_exec_in_closure", None)  # Python 3.13 and newer
                if in_closure is None or not in_closure(statement, names, values):
                    exec(code, scope(code, names, values), values)  # noqa: S102 - it is what a debugger does
        except BaseException as error:
            self.error(brief(error))

    @contextlib.contextmanager
    def _output_shown(self) -> Iterator[None]:
        """What a statement prints, and the value of an expression, belong to the answer."""
        saved = sys.stdout, sys.displayhook
        sys.stdout, sys.displayhook = self.output, self.displayhook
        try:
            yield
        finally:
            sys.stdout, sys.displayhook = saved

    # -- commands, each the work of a part ---------------------------------------------------

    def do_break(self, arg: str, temporary: Any = False) -> None:
        """Set a breakpoint; alone, list them all."""
        if arg:
            self.breakpoint_commands.add(arg, self.curframe, temporary=bool(temporary))
        else:
            self.breakpoint_commands.show()

    do_b = do_break

    def do_tbreak(self, arg: str) -> None:
        """Set a breakpoint that goes when it is first hit."""
        self.do_break(arg, True)

    def do_clear(self, arg: str) -> None:
        """Delete breakpoints; alone, all of them, without asking."""
        self.breakpoint_commands.clear(arg)

    do_cl = do_clear

    def do_enable(self, arg: str) -> None:
        """Let breakpoints stop the program again."""
        self.breakpoint_commands.enable(arg, True)

    def do_disable(self, arg: str) -> None:
        """Keep breakpoints, but do not stop at them."""
        self.breakpoint_commands.enable(arg, False)

    def do_condition(self, arg: str) -> None:
        """Stop there only if an expression is true; alone, always."""
        if self.breakpoint_commands.accepts_condition(arg):
            super().do_condition(arg)

    def do_commands(self, arg: str) -> None:
        """Take the lines that follow as what a breakpoint does."""
        self.breakpoint_commands.set_script(arg)

    def do_set(self, arg: str) -> None:
        """Change a setting, which takes effect at once; alone, list them."""
        changed = self.state.settings.command(arg, self.output)
        if changed == "machinery":
            self.lay_stack_anew()
        elif changed == "changes":
            self.display.forget_changes()
            self.show_changes()

    def do_back(self, arg: str) -> None:
        """Go back to the stop before this one, or that many stops."""
        self.state.go_back("back", arg)

    def do_goto(self, arg: str) -> None:
        """Go back to a stop by its number."""
        self.state.go_back("goto", arg)

    def do_checkpoints(self, arg: str) -> None:
        """List the stops that can be gone back to."""
        self.state.list_checkpoints()

    def do_run(self, arg: str) -> None:
        """The program is started again from outside."""
        self.error("send `restart` as a command of its own")

    do_restart = do_run

    def do_interact(self, arg: str) -> None:
        """There is no terminal."""
        self.error(
            "interact needs a terminal: send the statements as commands, one or several lines at a time"
        )

    def do_help(self, arg: str) -> None:
        """What the table says of a command, where it is not pdb's own."""
        command = BY_WORD.get(arg.strip())
        method = getattr(type(self), "do_" + command.name, None) if command else None
        if command is None or getattr(pdb.Pdb, "do_" + command.name, None) is method:
            super().do_help(arg)
        else:
            self.message("%s %s: %s" % (", ".join(command.names), command.argument, command.help))

    do_h = do_help

    def help_pdb(self) -> None:
        """The documentation of pdb."""
        self.message(pdb.__doc__)
