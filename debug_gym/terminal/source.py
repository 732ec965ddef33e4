"""The source pane: a file with colours, line numbers, breakpoints and the current line; it can be edited."""

from bisect import bisect_right

from pygments.lexers import get_lexer_for_filename
from pygments.token import Token, _TokenType
from pygments.util import ClassNotFound
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widgets import TextArea

from debug_gym.terminal.keys import SOURCE_KEYS
from debug_gym.terminal.workspace import Source

LARGE = 200_000
"""Characters of a file beyond which it has no colours."""
MARGIN = 3
"""Cells left of the line numbers: a breakpoint, the current line, a space."""
_COLOURS: dict[bool, dict[_TokenType, str]] = {
    True: {
        Token.Comment: "#8a9a80 italic",
        Token.Keyword: "#c792ea",
        Token.Literal.String: "#a5d6a7",
        Token.Literal.Number: "#f78c6c",
        Token.Name.Builtin: "#82aaff",
        Token.Name.Class: "#ffcb6b bold",
        Token.Name.Decorator: "#ffcb6b",
        Token.Name.Exception: "#ffab91",
        Token.Name.Function: "#82aaff bold",
        Token.Operator.Word: "#c792ea",
    },
    False: {
        Token.Comment: "#5f6f58 italic",
        Token.Keyword: "#7b30b0",
        Token.Literal.String: "#20692a",
        Token.Literal.Number: "#a8480c",
        Token.Name.Builtin: "#1450a8",
        Token.Name.Class: "#805500 bold",
        Token.Name.Decorator: "#805500",
        Token.Name.Exception: "#a03010",
        Token.Name.Function: "#1450a8 bold",
        Token.Operator.Word: "#7b30b0",
    },
}
"""Colours on a dark ground, and on a light one."""
_CURRENT = {True: "#4d4310", False: "#ffec9e"}
"""The ground of the line where the program stands."""

Span = tuple[int, int, str]


class SourcePane(TextArea):
    """Shows a ``Source``. Keys of a debugger work in it, as long as it is not being edited."""

    BINDINGS = SOURCE_KEYS

    class PointClicked(Message):
        """The margin of a line was clicked."""

        def __init__(self, line: int) -> None:
            super().__init__()
            self.line = line

    def __init__(self) -> None:
        super().__init__(
            id="source", read_only=True, soft_wrap=False, show_line_numbers=True, tab_behavior="indent"
        )
        self.source = Source("", "")
        """What is shown."""
        self._spans: list[list[Span]] = []

    def on_mount(self) -> None:
        """Other themes, other colours."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.recolour())

    @property
    def line(self) -> int:
        """The line of the cursor, from 1."""
        return self.cursor_location[0] + 1

    @property
    def editing(self) -> bool:
        """The file is being edited."""
        return not self.read_only

    def begin_editing(self) -> None:
        """Let the file be edited."""
        self.read_only = False
        self.add_class("-editing")
        self.border_title = f"editing {self.source.path}: Ctrl-S saves, Escape drops the changes"
        self.focus()

    def end_editing(self) -> None:
        """Let it be read only."""
        self.read_only = True
        self.remove_class("-editing")
        self.border_title = self.source.path

    def show(self, source: Source) -> None:
        """Show a file, scrolled to its line, or keep the place if the same is shown."""
        moved = source.arrived or (source.path, source.line) != (self.source.path, self.source.line)
        self.source = source
        self.border_title = source.path or "source"
        self.show_line_numbers = not source.note
        text = source.text or source.note
        if text != self.text:
            self.load_text(text)
        self.recolour()
        if moved:
            self.move_cursor((source.line - 1, 0))
            self.call_after_refresh(self._reveal, source.line)

    def _reveal(self, line: int) -> None:
        """Bring a line to the middle, once the pane has its size."""
        self.scroll_to(y=max(0, line - 1 - self.size.height // 2), animate=False)

    def recolour(self) -> None:
        """Find the colours of the text anew."""
        self._spans = colours(self.source.path, self.text, dark=self.app.current_theme.dark)
        self.notify_style_update()
        self.refresh()

    def get_line(self, line_index: int) -> Text:
        """A line in its colours."""
        line = super().get_line(line_index)
        for start, end, style in self._spans[line_index] if line_index < len(self._spans) else ():
            line.stylize(style, start, end)
        return line

    @property
    def gutter_width(self) -> int:
        """The width of the marks and the line numbers."""
        return super().gutter_width + MARGIN

    def render_line(self, y: int) -> Strip:
        """A line, with its marks laid over the gutter."""
        strip = super().render_line(y)
        line = self.scroll_offset.y + y + 1
        if not self.source.text or line > self.document.line_count:
            return strip
        current = line == self.source.current and not self.editing
        if current:
            ground = Style(bgcolor=_CURRENT[self.app.current_theme.dark], bold=True)
            strip = Strip([Segment(text, (style or Style()) + ground) for text, style, _ in strip])
        base = next(iter(strip)).style or Style()
        marks = [
            Segment("●" if line in self.source.points else " ", base + Style(color="red", bold=True)),
            Segment("▶" if current else " ", base + Style(color="yellow", bold=True)),
        ]
        return Strip.join([Strip(marks), strip.crop(len(marks))])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Ctrl-Z is time travel while a file is only read."""
        if not self.editing and action == "undo":
            return False
        return super().check_action(action, parameters)

    def on_text_area_changed(self) -> None:
        """New text has new colours."""
        if self.editing:
            self.recolour()

    def on_click(self, event: events.Click) -> None:
        """A click into the margin sets or clears a breakpoint."""
        if not self.editing and event.get_content_offset_capture(self).x < self.gutter_width:
            self.post_message(self.PointClicked(self.line))


def colours(path: str, text: str, *, dark: bool) -> list[list[Span]]:
    """For each line the coloured parts: start, end, style. Empty for what is no known language, or large."""
    if len(text) > LARGE:
        return []
    try:
        lexer = get_lexer_for_filename(path, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return []
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    spans: list[list[Span]] = [[] for _ in starts[1:]]
    styles = _COLOURS[dark]
    for offset, token, value in lexer.get_tokens_unprocessed(text):
        style = next((styles[kind] for kind in reversed(token.split()) if kind in styles), "")
        if not style:
            continue
        row = bisect_right(starts, offset) - 1
        for number, part in enumerate(value.split("\n"), row):
            start = max(offset - starts[number], 0)
            spans[number].append((start, start + len(part), style))
    return spans
