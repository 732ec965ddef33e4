"""The game on the screen: panes, keys, and calls in a thread of their own."""

import time
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Footer, Input, OptionList, RichLog, Static, TabbedContent, TabPane, Tree

from debug_gym.episode import Step, ToolCall
from debug_gym.errors import DebugGymError, UnknownNameError
from debug_gym.play.commandline import CommandLine
from debug_gym.play.game import Game, change
from debug_gym.play.grammar import DEBUGGER
from debug_gym.play.panes import CallsPane, FilesPane, StatusLine, TestsPane
from debug_gym.play.render import answer, headline, problem, verdict, written
from debug_gym.play.screens import AskScreen, HelpScreen, VerdictScreen
from debug_gym.play.source import SourcePane

SUBMIT, JUDGE, LEAVE, STAY = "Submit", "Judge it as it stands", "Leave", "Stay"
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
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help"),
        Binding("f5", "debug('c')", "Go"),
        Binding("f6", "call('eval')", "Tests"),
        Binding("f9", "toggle_breakpoint", "Break"),
        Binding("f10", "debug('n')", "Next"),
        Binding("f11", "debug('s')", "Step"),
        Binding("f4", "edit", "Edit"),
        Binding("ctrl+s", "submit", "Submit"),
        Binding("ctrl+q", "leave", "Quit"),
        Binding("f2", "files", "Files"),
        Binding("f3", "side", "Problem"),
        Binding("f7", "debug('restart')", "Restart"),
        Binding("f8", "run_to_cursor", "To cursor"),
        Binding("ctrl+z", "debug('back')", "Back"),
        Binding("f23,shift+f11", "debug('r')", "Return", show=False),
        Binding("ctrl+o", "output", "Output", show=False),
        Binding("ctrl+t", "light", "Light", show=False),
        Binding("ctrl+c", "interrupt", "Interrupt", show=False, priority=True),
        Binding("escape", "switch", "Switch", show=False),
    ]

    def __init__(self, game: Game, *, farewell: str = "", theme: str = "textual-dark") -> None:
        super().__init__()
        if theme not in self.available_themes:
            raise UnknownNameError("theme", theme, self.available_themes)
        self.game, self._farewell, self.theme = game, farewell, theme
        self.busy: ToolCall | None = None
        """The call that is running."""
        self._since = 0.0

    # -- what there is to see ---------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """See ``App``."""
        yield Static("This terminal is too small.\ndebug-gym play needs 60 columns and 18 lines.", id="small")
        with Vertical(id="game"):
            yield StatusLine(self._status)
            with Horizontal(id="work"):
                yield FilesPane()
                with Vertical(id="middle"):
                    yield SourcePane()
                    with TabbedContent(id="talk"):
                        for title, name in (("Answers", "answers"), ("Program", "program")):
                            with TabPane(title, id=f"{name}-tab"):
                                yield RichLog(id=name, wrap=True, min_width=0)
                        with TabPane("Calls", id="calls-tab"):
                            yield CallsPane()
                with Vertical(id="side"):
                    with VerticalScroll(id="problem"):
                        yield Static(problem(self.game))
                    yield TestsPane()
            yield Static(id="candidates")
            with Horizontal(id="line"):
                yield Static(">", id="prompt")
                yield CommandLine(self._completions)
            yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Before the first call."""
        self.query_one("#files").border_title = "files"
        self.query_one("#problem").border_title = "problem"
        self.query_one("#tests").border_title = "tests"
        self.query_one(CommandLine).focus()
        self.screen.add_class("-side")  # where there is room for one thing, the problem comes first
        self._show()

    def _completions(self, text: str) -> list[str]:
        return self.game.grammar.complete(text, files=self.game.files, tests=tuple(self.game.outcomes))

    def _show(self) -> None:
        """Bring all panes up to date."""
        self.query_one(FilesPane).show(self.game.files)
        self.query_one(TestsPane).show(self.game.outcomes)
        self.query_one(SourcePane).show(self.game.source)

    def _status(self) -> Text:
        running = ""
        if self.busy is not None:
            seconds = time.monotonic() - self._since
            running = f"{FRAMES[int(seconds * 10) % len(FRAMES)]} {self.busy.name} runs, {seconds:.0f} s"
        return headline(self.game, running)

    # -- calls ------------------------------------------------------------------------------------

    def start(self, call: ToolCall) -> None:
        """Play a call in a thread; the panes follow when it is done."""
        if self.game.result is not None:
            return
        if self.busy is not None:
            self.notify(f"{self.busy.name} is still running; Ctrl-C interrupts it", severity="warning")
            return
        if self._editing:
            text = "a file is being edited: Ctrl-S saves it, Escape drops the changes"
            self.notify(text, severity="warning")
            return
        self.busy, self._since = call, time.monotonic()
        Thread(target=self._play, args=(call,), daemon=True).start()

    def _play(self, call: ToolCall) -> None:
        """The thread of a call."""
        try:
            step = self.game.play(call)
        except DebugGymError as error:
            self._tell(self._failed, error)
        else:
            self._tell(self._played, step)

    def _tell(self, what: Callable[..., None], *arguments: object) -> None:
        if self.return_code is None:  # else nobody looks any more
            with suppress(RuntimeError):  # it ends at this moment
                self.call_from_thread(what, *arguments)

    def _played(self, step: Step) -> None:
        self.busy = None
        if step.call.name != "eval":  # whose results the tests' pane shows
            self.screen.remove_class("-side", "-files")
        self._show()
        self._show_answer(step)
        self.query_one(CallsPane).add(step)
        self._show_written(written(step))
        if self.game.result is not None:
            self._show_verdict()

    def _show_answer(self, step: Step) -> None:
        """At the end of the answers, once their pane has its size."""
        self.call_after_refresh(self.query_one("#answers", RichLog).write, answer(step))

    def _show_written(self, text: str) -> None:
        if text:
            self.query_one("#program", RichLog).write(Text(text))
            tab = self.query_one(TabbedContent).get_tab("program-tab")
            tab.label = Text("Program ●")

    def _failed(self, error: DebugGymError) -> None:
        self.busy = None
        self._show()
        if self.game.result is not None:
            self._show_verdict()
        else:
            self.notify(str(error), severity="error", timeout=20)

    def _show_verdict(self) -> None:
        result, end = self.game.result, self.game.end
        assert result is not None  # callers know
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
        self.query_one(TabbedContent).active = "answers-tab"
        self.start(call)

    @on(CommandLine.Candidates)
    def _candidates(self, event: CommandLine.Candidates) -> None:
        line = self.query_one("#candidates", Static)
        line.update(Text("  ".join(event.words[:80])))
        line.set_class(bool(event.words), "-some")

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
        step = self.game.steps[int(event.option_id or 0)]
        self.query_one(TabbedContent).active = "answers-tab"
        self._show_answer(step)

    @on(TabbedContent.TabActivated)
    def _tab_chosen(self, event: TabbedContent.TabActivated) -> None:
        if event.pane.id == "program-tab":
            event.tab.label = Text("Program")

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
        self._toggle(self.query_one(SourcePane).line)

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
            self.action_debug(f"tbreak {source.path}:{self.query_one(SourcePane).line}\nc")

    def action_submit(self) -> None:
        """Submit, if that is meant; while a file is edited: save it."""
        if self._editing:
            self._save()
            return
        if self.busy is None and self.game.result is None:
            question = AskScreen("Submit? The attempt ends here and the workspace is judged.", SUBMIT, STAY)
            self.push_screen(question, lambda said: self.action_call("submit") if said == SUBMIT else None)

    def action_leave(self) -> None:
        """Leave, if that is meant."""
        if self.game.result is not None or not self.game.steps:
            self.exit()
            return
        if self.busy is not None:
            question = AskScreen(f"{self.busy.name} is running. Leave without a verdict?", LEAVE, STAY)
        else:
            text = "Leave? The attempt can be judged as it stands, or stay without a verdict."
            question = AskScreen(text, JUDGE, LEAVE, STAY)
        self.push_screen(question, self._left)

    def _left(self, said: str | None) -> None:
        if said == LEAVE:
            self.exit()
        elif said == JUDGE:
            self.busy, self._since = ToolCall(name="the judge"), time.monotonic()
            Thread(target=self._finish, daemon=True).start()

    def _finish(self) -> None:
        try:
            self.game.finish()
        except DebugGymError as error:
            self._tell(self._failed, error)
        else:
            self._tell(self._finished)

    def _finished(self) -> None:
        self.busy = None
        self._show_verdict()

    def action_interrupt(self) -> None:
        """End the call that is running."""
        if self.busy is not None and not self.game.interrupt():
            limit = self.game.task.limits.command_timeout
            self.notify(f"this sandbox cannot interrupt {self.busy.name}, which ends after {limit:g} s")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Ctrl-C copies text while nothing runs."""
        return self.busy is not None if action == "interrupt" else True

    # -- editing ------------------------------------------------------------------------------------

    @property
    def _editing(self) -> bool:
        return not self.query_one(SourcePane).read_only

    def action_edit(self) -> None:
        """Edit the file in view in its place."""
        source = self.game.source
        if not source.exact:
            self.notify("there is no text to edit in view: open a file first", severity="warning")
            return
        pane = self.query_one(SourcePane)
        pane.read_only = False
        pane.add_class("-editing")
        pane.border_title = f"editing {source.path}: Ctrl-S saves, Escape drops the changes"
        pane.focus()

    def _save(self) -> None:
        source, text = self.game.source, self.query_one(SourcePane).text
        self._stop_editing()
        call = change(source.path, source.text, text)
        if call is None:
            self.notify("nothing was changed")
        else:
            self.start(call)

    def _stop_editing(self) -> None:
        pane = self.query_one(SourcePane)
        pane.read_only = True
        pane.remove_class("-editing")
        pane.border_title = self.game.source.path

    # -- panes --------------------------------------------------------------------------------------

    def action_help(self) -> None:
        """Show the keys."""
        self.push_screen(HelpScreen([self.game.grammar.usage(tool) for tool in self.game.grammar.tools]))

    def action_files(self) -> None:
        """To the files and back."""
        self.screen.remove_class("-side")
        self.screen.toggle_class("-files")
        self.query_one(FilesPane).focus()

    def action_side(self) -> None:
        """To the problem and the tests and back."""
        self.screen.remove_class("-files")
        self.screen.toggle_class("-side")
        self.query_one(TestsPane).focus()

    def action_output(self) -> None:
        """From the answers to what the program wrote, and back."""
        tabs = self.query_one(TabbedContent)
        tabs.active = "answers-tab" if tabs.active == "program-tab" else "program-tab"

    def action_light(self) -> None:
        """Light or dark."""
        self.theme = "textual-light" if self.current_theme.dark else "textual-dark"

    def action_switch(self) -> None:
        """From the command line to the source, and from anywhere to the command line."""
        if self._editing:
            self._stop_editing()
            self._show()
        elif isinstance(self.focused, CommandLine):
            self.query_one(SourcePane).focus()
        else:
            self.query_one(CommandLine).focus()
