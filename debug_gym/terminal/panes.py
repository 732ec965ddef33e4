"""The panes around the source: files, tests, calls, and the line at the top."""

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import OptionList, Static, Tree
from textual.widgets.option_list import Option
from textual.widgets.tree import TreeNode

from debug_gym.episode import Step
from debug_gym.terminal.render import call_line, mark

FEW = 60
"""Up to so many files, all folders are open."""


class StatusLine(Static):
    """The line at the top, which is alive while something runs.

    Args:
        say: gives the line.
    """

    def __init__(self, say: Callable[[], Text]) -> None:
        super().__init__(id="status")
        self._say, self._said = say, Text()

    def on_mount(self) -> None:
        """Look for news ten times a second."""
        self.set_interval(0.1, self._hear)

    def _hear(self) -> None:
        line = self._say()
        if line != self._said:
            self._said = line
            self.update(line)


class FilesPane(Tree[str]):
    """The files of the workspace. Selecting one looks at it."""

    def __init__(self) -> None:
        super().__init__("workspace", id="files")
        self.show_root = False
        self.guide_depth = 2
        self._shown: tuple[str, ...] = ()

    def show(self, files: tuple[str, ...]) -> None:
        """Show these paths, if they are not those that are shown."""
        if files == self._shown:
            return
        self._shown = files
        self.clear()
        folders: dict[str, TreeNode[str]] = {"": self.root}
        for path in files:
            folder, _, name = path.rpartition("/")
            self._folder(folders, folder, opened=len(files) <= FEW).add_leaf(Text(name), path)

    def _folder(self, folders: dict[str, TreeNode[str]], path: str, *, opened: bool) -> TreeNode[str]:
        if path not in folders:
            parent, _, name = path.rpartition("/")
            above = self._folder(folders, parent, opened=opened)
            folders[path] = above.add(Text(name), expand=opened)
        return folders[path]


class TestsPane(OptionList):
    """The tests and how they went. Enter debugs one, r runs it."""

    __test__ = False

    BINDINGS: ClassVar[list[BindingType]] = [Binding("r", "run_one", "Run this test", show=False)]

    class Run(Message):
        """One test is to be run."""

        def __init__(self, test: str) -> None:
            super().__init__()
            self.test = test

    def __init__(self) -> None:
        super().__init__(id="tests")
        self._shown: dict[str, str] = {}

    def on_mount(self) -> None:
        """Before the first run."""
        self.add_option(Option(Text("F6 runs the tests", "dim"), disabled=True))

    def show(self, outcomes: dict[str, str]) -> None:
        """Show each test with its outcome, those that fail first."""
        if outcomes == self._shown:
            return
        self._shown = dict(outcomes)
        kept = self.highlighted_option.id if self.highlighted_option else None
        self.clear_options()
        good = {"passed", "xfailed"}
        for test in sorted(outcomes, key=lambda test: outcomes[test] in good):
            self.add_option(Option(Text.assemble(mark(outcomes[test]), " ", _short(test)), id=test))
        if kept in outcomes:
            self.highlighted = self.get_option_index(kept)

    def action_run_one(self) -> None:
        """Ask for the highlighted test to be run."""
        if self.highlighted_option and self.highlighted_option.id:
            self.post_message(self.Run(self.highlighted_option.id))


class CallsPane(OptionList):
    """All calls so far. Selecting one shows its answer again."""

    def __init__(self) -> None:
        super().__init__(id="calls")

    def add(self, step: Step) -> None:
        """One more call."""
        self.add_option(Option(call_line(step), id=str(step.index)))
        self.highlighted = self.option_count - 1


def _short(test: str) -> Text:
    """A test's id with its own name first, so that narrow panes show it."""
    path, _, name = test.rpartition("::")
    return Text.assemble(name, (f"  {path}", "dim"))
