"""All panes of the game, and what each shows of it."""

from collections.abc import Callable

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Footer, RichLog, Static, TabbedContent, TabPane

from debug_gym.episode import Step
from debug_gym.terminal.commandline import CommandLine
from debug_gym.terminal.game import Game
from debug_gym.terminal.panes import CallsPane, FilesPane, StatusLine, TestsPane
from debug_gym.terminal.place import written
from debug_gym.terminal.render import answer, headline, problem
from debug_gym.terminal.source import SourcePane


class Board(Vertical):
    """Shows a game. In a narrow terminal there is room for one of three: source, files, problem and tests.

    Args:
        game: what is shown.
        progress: says what runs at the moment.
    """

    def __init__(self, game: Game, progress: Callable[[], str]) -> None:
        super().__init__(id="board", classes="-side")  # the problem comes first
        self._game, self._progress = game, progress

    def compose(self) -> ComposeResult:
        """See ``Widget``."""
        yield StatusLine(lambda: headline(self._game, self._progress()))
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
                    yield Static(problem(self._game.problem))
                yield TestsPane()
        yield Static(id="candidates")
        with Horizontal(id="line"):
            yield Static(">", id="prompt")
            yield CommandLine(self._completions)
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Before the first call."""
        for name in ("files", "problem", "tests"):
            self.query_one(f"#{name}").border_title = name
        self.refresh_panes()

    def refresh_panes(self) -> None:
        """Bring files, tests and source up to date."""
        self.query_one(FilesPane).show(self._game.files)
        self.query_one(TestsPane).show(self._game.outcomes)
        self.query_one(SourcePane).show(self._game.source)

    def add(self, step: Step) -> None:
        """One more call, and all that it changed."""
        if step.call.name != "eval":  # whose results the tests' pane shows
            self.remove_class("-side", "-files")
        self.refresh_panes()
        self.query_one(CallsPane).add(step)
        self._write_answer(step)
        if output := written(step):
            self.query_one("#program", RichLog).write(Text(output))
            self._mark_program("" if self._tabs.active == "program-tab" else " ●")

    def show_answer(self, step: Step) -> None:
        """Show an earlier answer again."""
        self.show_answers()
        self._write_answer(step)

    def show_answers(self) -> None:
        """Bring the answers to the front."""
        self._tabs.active = "answers-tab"

    def turn(self) -> None:
        """From the answers to what the program wrote, and back."""
        self._tabs.active = "answers-tab" if self._tabs.active == "program-tab" else "program-tab"

    def show_files(self) -> None:
        """To the files and, in a narrow terminal, back."""
        self.remove_class("-side")
        self.toggle_class("-files")
        self.query_one(FilesPane).focus()

    def show_side(self) -> None:
        """To the problem and the tests and, in a narrow terminal, back."""
        self.remove_class("-files")
        self.toggle_class("-side")
        self.query_one(TestsPane).focus()

    @property
    def _tabs(self) -> TabbedContent:
        return self.query_one(TabbedContent)

    def _write_answer(self, step: Step) -> None:
        """At the end of the answers, once their pane has its size."""
        self.call_after_refresh(self.query_one("#answers", RichLog).write, answer(step))

    def _mark_program(self, sign: str) -> None:
        self._tabs.get_tab("program-tab").label = Text(f"Program{sign}")

    def _completions(self, text: str) -> list[str]:
        return self._game.grammar.complete(text, files=self._game.files, tests=tuple(self._game.outcomes))

    @on(CommandLine.Candidates)
    def _candidates(self, event: CommandLine.Candidates) -> None:
        line = self.query_one("#candidates", Static)
        line.update(Text("  ".join(event.words[:80])))
        line.set_class(bool(event.words), "-some")

    @on(TabbedContent.TabActivated)
    def _tab_chosen(self, event: TabbedContent.TabActivated) -> None:
        if event.pane.id == "program-tab":
            self._mark_program("")
