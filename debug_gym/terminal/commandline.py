"""The line to type calls in: Tab completes, a suggestion stands ahead, the arrows give earlier lines."""

from collections.abc import Callable
from os.path import commonprefix
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input

Complete = Callable[[str], list[str]]


class CommandLine(Input):
    """Where calls are typed.

    Args:
        complete: gives the lines that a text may become.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", show=False),
        Binding("up", "earlier(-1)", "Earlier line", show=False),
        Binding("down", "earlier(1)", "Later line", show=False),
    ]

    class Candidates(Message):
        """What Tab could not decide between; nothing, if that is settled."""

        def __init__(self, words: list[str]) -> None:
            super().__init__()
            self.words = words

    def __init__(self, complete: Complete) -> None:
        self._lines: list[str] = []
        self._at = 0
        self._complete = complete
        super().__init__(
            id="command",
            placeholder="a tool and its arguments, or a command of the debugger; Tab completes, F1 helps",
            suggester=_Ahead(self._lines, complete),
            compact=True,
        )

    def take(self) -> str:
        """The typed line, which goes into the list of earlier ones."""
        line = self.value.strip()
        if line and self._lines[-1:] != [line]:
            self._lines.append(line)
        self._at = len(self._lines)
        self.value = ""
        return line

    def watch_value(self) -> None:
        """Other text, other candidates."""
        self.post_message(self.Candidates([]))

    def action_complete(self) -> None:
        """Complete as far as it is clear, then show what there is to choose from."""
        if not self.value:
            self.screen.focus_next()
            return
        text, rest = self.value[: self.cursor_position], self.value[self.cursor_position :]
        found = self._complete(text)
        if not found:
            return
        longest = commonprefix(found)  # noqa: RUF071 - texts, not paths
        if len(found) == 1 and longest[-1] not in ":=/":
            longest += " "
        if longest != text:
            self.value = longest + rest
            self.cursor_position = len(longest)
        if len(found) > 1:
            start = text.rfind(" ") + 1
            words = [item[start:] for item in found]
            self.call_after_refresh(self.post_message, self.Candidates(words))

    def action_earlier(self, by: int) -> None:
        """Go through the lines that were typed before."""
        self._at = min(max(self._at + by, 0), len(self._lines))
        self.value = self._lines[self._at] if self._at < len(self._lines) else ""
        self.cursor_position = len(self.value)


class _Ahead(Suggester):
    """Suggests the latest line that begins like this one, else the first completion."""

    def __init__(self, lines: list[str], complete: Complete) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._lines, self._complete = lines, complete

    async def get_suggestion(self, value: str) -> str | None:
        """See ``Suggester``."""
        earlier = (line for line in reversed(self._lines) if line.startswith(value) and line != value)
        return next(earlier, None) or next(iter(self._complete(value)), None)
