"""Files of the workspace as the player sees them, and the calls that their edits make."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from debug_gym.episode import ToolCall
from debug_gym.terminal.grammar import DEBUGGER
from debug_gym.terminal.place import Whereabouts
from debug_gym.tools.base import Session, ToolError
from debug_gym.tools.printable import printable
from debug_gym.tools.text import read_text, split_lines

NOTHING = "F5  stop where the first test fails\nF6  run the tests\nF2  choose a file"
"""What stands in place of a file at the beginning."""


@dataclass(frozen=True)
class Source:
    """A file of the workspace as the player sees it."""

    path: str
    text: str
    line: int = 1
    """The line to look at, from 1."""
    current: int = 0
    """The line where the program stands; 0: elsewhere."""
    arrived: bool = False
    """The program has just got here."""
    points: Mapping[int, int] = field(default_factory=dict)
    """Lines with a breakpoint, and its number."""
    exact: bool = True
    """The text is that of the file; else control characters in it are shown in a visible form."""
    note: str = ""
    """Why there is no text."""


def read_source(session: Session, path: str, line: int, where: Whereabouts) -> Source:
    """A file as it is now.

    Args:
        session: has the file.
        path: relative to the workspace.
        line: the line to look at; 0: where the program stands.
        where: where the program stands.
    """
    try:
        text = read_plain(session, path)
    except (OSError, ValueError, ToolError) as error:
        return Source(path, "", exact=False, note=f"{path} cannot be shown: {error}")
    shown, current = printable(text), where.line(path, text)
    return Source(
        path=path,
        text=shown,
        line=line or current or 1,
        arrived=not line,
        current=current,
        points=_points(session, path, text),
        exact=shown == text,
    )


def read_plain(session: Session, path: str) -> str:
    r"""The text of a file with ``\n`` at the end of each line. Raises as ``read_text`` does."""
    return read_text(session, path).text.replace("\r\n", "\n")


def _points(session: Session, path: str, text: str) -> dict[int, int]:
    """The lines with a breakpoint and its number. Breakpoints keep their order when lines move."""
    memory = session.state.get(DEBUGGER)
    if memory is None:
        return {}
    entries = [entry for entry in memory.breakpoints.entries if entry.file == path]
    numbers = {entry.line: entry.number for entry in entries}
    shown = sorted(memory.lines(path, text))
    if len(shown) != len(numbers):
        return dict.fromkeys(shown, 0)
    return dict(zip(shown, (numbers[line] for line in sorted(numbers)), strict=True))


def change(path: str, old: str, new: str) -> ToolCall | None:
    """The call of ``rewrite`` that turns the text of a file into another; None if they are equal."""
    if old == new:
        return None
    before, after = split_lines(old), split_lines(new)
    if not old.endswith("\n") or not new.endswith("\n"):
        return ToolCall(name="rewrite", arguments={"path": path, "content": new})
    same = _common(before, after)
    same_end = _common(before[same:][::-1], after[same:][::-1])
    if same + same_end == len(before) and same_end:
        same_end -= 1  # only new lines: the old one that follows comes along
    start, end = same + 1, len(before) - same_end
    content = "".join(after[same : len(after) - same_end])
    arguments: dict[str, Any] = {"path": path, "content": content, "start": start}
    if end > start:
        arguments["end"] = end
    return ToolCall(name="rewrite", arguments=arguments)


def _common(left: list[str], right: list[str]) -> int:
    """How many lines at the start are equal."""
    shorter = min(len(left), len(right))
    return next((index for index in range(shorter) if left[index] != right[index]), shorter)
