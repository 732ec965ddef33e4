"""The game on the screen: what keys do, and calls in a thread of their own."""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import TypeVar

from textual import on
from textual.app import App, ComposeResult
from textual.widgets import Input, OptionList, Static, Tree

from debug_gym.episode import Step, ToolCall
from debug_gym.errors import DebugGymError, UnknownNameError
from debug_gym.store.records import Result
from debug_gym.terminal.board import Board
from debug_gym.terminal.commandline import CommandLine
from debug_gym.terminal.game import Game
from debug_gym.terminal.grammar import DEBUGGER
from debug_gym.terminal.keys import KEYS
from debug_gym.terminal.panes import TestsPane
from debug_gym.terminal.render import verdict
from debug_gym.terminal.screens import AskScreen, HelpScreen, VerdictScreen
from debug_gym.terminal.source import SourcePane
from debug_gym.terminal.workspace import change

SUBMIT, JUDGE, LEAVE, STAY = "Submit", "Judge it as it stands", "Leave", "Stay"
T = TypeVar("T")
FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class PlayApp(App[None]):
    """Lets a person play an attempt.

    Args:
        game: the attempt.
        farewell: what to say below the verdict: where the attempt is kept.
        theme: name of a theme of Textual.

    Raises:
        UnknownNameError: there is no such theme.
    """

    CSS_PATH = "play.tcss"
    TITLE = "debug-gym"
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (60, "-narrow"), (116, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (18, "-high")]  # noqa: RUF012
    BINDINGS = KEYS

    def __init__(self, game: Game, *, farewell: str = "", theme: str = "textual-dark") -> None:
        super().__init__()
        if theme not in self.available_themes:
            raise UnknownNameError("theme", theme, self.available_themes)
        self.game, self._farewell, self.theme = game, farewell, theme
        self.busy = ""
        """What is running: a tool, or the judge."""
        self._since = 0.0

    def compose(self) -> ComposeResult:
        """See ``App``."""
        yield Static("This terminal is too small.\ndebug-gym play needs 60 columns and 18 lines.", id="small")
        yield Board(self.game, self._progress)

    def on_mount(self) -> None:
        """Before the first call."""
        self.query_one(CommandLine).focus()

    @property
    def _board(self) -> Board:
        return self.query_one(Board)

    @property
    def _source(self) -> SourcePane:
        return self.query_one(SourcePane)

    def _progress(self) -> str:
        """What runs and for how long, for the line at the top."""
        seconds = time.monotonic() - self._since
        frame = FRAMES[int(seconds * 10) % len(FRAMES)]
        return f"{frame} {self.busy} runs, {seconds:.0f} s" if self.busy else ""

    # -- calls ------------------------------------------------------------------------------------

    def start(self, call: ToolCall) -> None:
        """Play a call in a thread; the panes follow when it is done."""
        if self.busy:
            self.notify(f"{self.busy} is still running; Ctrl-C interrupts it", severity="warning")
        elif self._source.editing:
            text = "a file is being edited: Ctrl-S saves it, Escape drops the changes"
            self.notify(text, severity="warning")
        elif self.game.result is None:
            self._run(call.name, partial(self.game.play, call), self._played)

    def _run(self, name: str, work: Callable[[], T], then: Callable[[T], None]) -> None:
        """Do some work in a thread, and something with its result in the one of the screen."""

        def run() -> None:
            try:
                result = work()
            except DebugGymError as error:
                tell(partial(self._failed, error))
            else:
                tell(partial(then, result))

        def tell(what: Callable[[], None]) -> None:
            if self.return_code is None:  # else nobody looks any more
                with suppress(RuntimeError):  # it ends at this moment
                    self.call_from_thread(what)

        self.busy, self._since = name, time.monotonic()
        Thread(target=run, daemon=True).start()

    def _played(self, step: Step) -> None:
        self.busy = ""
        self._board.add(step)
        if self.game.result is not None:
            self._show_verdict(self.game.result)

    def _failed(self, error: DebugGymError) -> None:
        self.busy = ""
        if self.game.result is not None:
            self._show_verdict(self.game.result)
        else:
            self.notify(str(error), severity="error", timeout=20)

    def _show_verdict(self, result: Result) -> None:
        self.busy, end = "", self.game.end
        shown = verdict(result, self.game.verdict, end.patch if end else "")
        self.push_screen(VerdictScreen(shown, self._farewell), lambda _: self.exit())

    # -- what the player does -----------------------------------------------------------------------

    @on(Input.Submitted, "#command")
    def _typed(self) -> None:
        line = self.query_one(CommandLine).take()
        try:
            call = self.game.grammar.parse(line, debugging=self.game.debugging)
        except DebugGymError as error:
            self.notify(str(error), severity="warning")
            return
        self._board.show_answers()
        self.start(call)

    @on(Tree.NodeSelected)
    def _file_chosen(self, event: Tree.NodeSelected[str]) -> None:
        if event.node.data is not None:
            self.start(ToolCall(name="view", arguments={"path": event.node.data}))

    @on(OptionList.OptionSelected, "#tests")
    def _test_chosen(self, event: OptionList.OptionSelected) -> None:
        arguments = {"command": "where", "test": event.option_id, "at": "failure"}
        self.start(ToolCall(name=DEBUGGER, arguments=arguments))

    @on(TestsPane.Run)
    def _run_test(self, event: TestsPane.Run) -> None:
        self.start(ToolCall(name="eval", arguments={"tests": [event.test]}))

    @on(OptionList.OptionSelected, "#calls")
    def _call_chosen(self, event: OptionList.OptionSelected) -> None:
        self._board.show_answer(self.game.steps[int(event.option_id or 0)])

    @on(SourcePane.PointClicked)
    def _margin_clicked(self, event: SourcePane.PointClicked) -> None:
        self._toggle(event.line)

    def action_call(self, tool: str) -> None:
        """Call a tool that needs no arguments."""
        self.start(ToolCall(name=tool))

    def action_debug(self, command: str) -> None:
        """Give the debugger a command."""
        self.start(ToolCall(name=DEBUGGER, arguments={"command": command}))

    def action_toggle_breakpoint(self) -> None:
        """Set or clear the breakpoint at the cursor."""
        self._toggle(self._source.line)

    def _toggle(self, line: int) -> None:
        source = self.game.source
        if source.note:
            self.notify("open a file first: view FILE", severity="warning")
        elif line in source.points:
            self.action_debug(f"cl {source.points[line] or f'{source.path}:{line}'}")
        else:
            self.action_debug(f"b {source.path}:{line}")

    def action_run_to_cursor(self) -> None:
        """Run until the line of the cursor is reached."""
        source = self.game.source
        if not source.note:
            self.action_debug(f"tbreak {source.path}:{self._source.line}\nc")

    def action_submit(self) -> None:
        """Submit, if that is meant; while a file is edited: save it."""
        if self._source.editing:
            self._save()
            return
        if not self.busy and self.game.result is None:
            question = AskScreen("Submit? The attempt ends here and the workspace is judged.", SUBMIT, STAY)
            self.push_screen(question, lambda said: self.action_call("submit") if said == SUBMIT else None)

    def action_leave(self) -> None:
        """Leave, if that is meant."""
        if self.game.result is not None or not self.game.steps:
            self.exit()
            return
        if self.busy:
            question = AskScreen(f"{self.busy} is running. Leave without a verdict?", LEAVE, STAY)
        else:
            text = "Leave? Judged as it stands, the attempt counts and is kept. Else your changes are lost."
            question = AskScreen(text, JUDGE, LEAVE, STAY)
        self.push_screen(question, self._left)

    def _left(self, said: str | None) -> None:
        if said == LEAVE:
            self.exit()
        elif said == JUDGE:
            self._run("the judge", self.game.finish, self._show_verdict)

    def action_interrupt(self) -> None:
        """End the call that is running."""
        if not self.game.interrupt():
            self.notify(f"this sandbox cannot interrupt {self.busy}, which ends at its time limit")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Ctrl-C copies text while nothing runs."""
        return bool(self.busy) if action == "interrupt" else True

    # -- editing ------------------------------------------------------------------------------------

    def action_edit(self) -> None:
        """Edit the file in view in its place."""
        if self.game.source.exact and not self.busy:
            self._source.begin_editing()
        else:
            self.notify("there is no text to edit in view: open a file first", severity="warning")

    def _save(self) -> None:
        source, text = self.game.source, self._source.text
        self._source.end_editing()
        call = change(source.path, source.text, text)
        if call is None:
            self.notify("nothing was changed")
        else:
            self.start(call)

    # -- panes --------------------------------------------------------------------------------------

    def action_help(self) -> None:
        """Show the keys."""
        self.push_screen(HelpScreen([self.game.grammar.usage(tool) for tool in self.game.grammar.tools]))

    def action_files(self) -> None:
        """See ``Board.show_files``."""
        self._board.show_files()

    def action_side(self) -> None:
        """See ``Board.show_side``."""
        self._board.show_side()

    def action_output(self) -> None:
        """See ``Board.turn``."""
        self._board.turn()

    def action_light(self) -> None:
        """Light or dark."""
        self.theme = "textual-light" if self.current_theme.dark else "textual-dark"

    def action_switch(self) -> None:
        """From the command line to the source, and from anywhere to the command line; edits are dropped."""
        if self._source.editing:
            self._source.end_editing()
            self._board.refresh_panes()
        elif isinstance(self.focused, CommandLine):
            self._source.focus()
        else:
            self.query_one(CommandLine).focus()
