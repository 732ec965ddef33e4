"""What lies over the game for a moment: help, questions, the verdict."""

from collections.abc import Sequence
from typing import ClassVar

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Static

KEYS = (
    ("F5", "continue: start the failing test, or run on to the next breakpoint or failure"),
    ("F10  F11  Shift-F11", "next line, into the call, out of the function"),
    ("F9", "breakpoint at the line of the cursor (or click left of the line numbers)"),
    ("F8", "run to the line of the cursor"),
    ("F7", "restart the program, with the code as it is now"),
    ("Ctrl-Z", "back in time: to the stop before this one"),
    ("F6", "run all tests; when they pass after a change, the attempt ends and is judged"),
    ("F4", "edit the file in view: Ctrl-S saves it (one rewrite), Escape drops the changes"),
    ("F2  F3", "files; problem and tests"),
    ("Ctrl-O", "what the program wrote, and back to the answers"),
    ("Ctrl-S", "submit: the attempt ends and is judged"),
    ("Ctrl-C", "interrupt the call that is running"),
    ("Escape", "between the command line and the source"),
    ("Tab", "complete what was typed; in an empty line: the next pane"),
    ("Ctrl-T", "dark or light"),
    ("Ctrl-Q", "leave"),
)
LETTERS = (
    ("source", "n next, s step, r return, c continue, u up, d down, b breakpoint, t run to cursor, e edit"),
    ("tests", "Enter: stop where it fails, r: run it alone"),
    ("calls", "Enter: show the answer again"),
)
TYPING = """\
view shop/cart.py        view shop/cart.py:40-60
eval                     eval tests/test_cart.py::test_total
b shop/cart.py:12        b shop/cart.py:12, price > 3
p total, len(items)      up       where       back 2       restart
grep "def total" shop    bash git log --oneline | head
replace shop/cart.py "a - b" "a + b"

Everything that is no tool goes to the debugger once a program stands in it, Python statements too.
Names can be given: view path=a.py start=5. What cannot be read as a call costs no step."""


class HelpScreen(ModalScreen[None]):
    """All keys, and what can be typed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,q,enter", "dismiss", "Close")]

    def __init__(self, usages: Sequence[str]) -> None:
        super().__init__()
        self._usages = usages

    def compose(self) -> ComposeResult:
        """See ``Screen``."""
        with VerticalScroll(classes="box"):
            yield Static(_pairs(KEYS))
            yield Static("\nIn the panes", classes="title")
            yield Static(_pairs(LETTERS))
            yield Static("\nWhat can be typed", classes="title")
            yield Static(Text(TYPING))
            yield Static("\nThe tools", classes="title")
            yield Static(Text("\n".join(self._usages)))


def _pairs(rows: Sequence[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    for key, meaning in rows:
        table.add_row(key, meaning)
    return table


class AskScreen(ModalScreen[str]):
    """A question with a few answers; Escape is the last of them.

    Args:
        question: one or two sentences.
        answers: what each button says; the result is that text.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "refuse", "Stay"),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(self, question: str, *answers: str) -> None:
        super().__init__()
        self._question, self._answers = question, answers

    def compose(self) -> ComposeResult:
        """See ``Screen``."""
        with Vertical(classes="box question"):
            yield Static(Text(self._question))
            with Horizontal():
                for number, text in enumerate(self._answers):
                    yield Button(text, variant="default" if number else "primary", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The answer."""
        self.dismiss(str(event.button.label))

    def action_refuse(self) -> None:
        """The last answer."""
        self.dismiss(self._answers[-1])


class VerdictScreen(ModalScreen[None]):
    """How the attempt went."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,ctrl+q", "dismiss", "Leave")]

    def __init__(self, verdict: RenderableType, farewell: str) -> None:
        super().__init__()
        self._verdict, self._farewell = verdict, farewell

    def compose(self) -> ComposeResult:
        """See ``Screen``."""
        with VerticalScroll(classes="box"):
            yield Static(self._verdict)
            yield Static(Text(f"\n{self._farewell}\nEnter, Escape or q leaves.", "dim"))
