"""The ``view`` tool: a file with line numbers and the debugger's breakpoints."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import Field

from debug_gym.episode import Observation
from debug_gym.tools.base import Arguments, Session, Tool, ToolError
from debug_gym.tools.printable import printable
from debug_gym.tools.text import read_existing, sample_files, split_lines

MAX_LINES, MAX_RANGE = 400, 2000
"""Lines shown when no end is named, and when one is."""
MAX_CHARACTERS = 60_000
MAX_WIDTH = 500
"""Characters of one line, unless it is the only one asked for."""


class View(Tool):
    """Shows lines of a text file."""

    name, kind = "view", "look"
    description = (
        "Show a text file with line numbers. Lines with a breakpoint are marked B>. "
        f"Without a range, at most {MAX_LINES} lines are shown."
    )

    class Args(Arguments):
        """What to show."""

        path: str = Field(description="the file, relative to the workspace or absolute")
        start: int | None = Field(default=None, description="first line to show, counted from 1")
        end: int | None = Field(default=None, description="last line to show, included")

    def run(self, session: Session, args: Args) -> Observation:
        """See ``Tool.run``."""
        file = read_existing(session, args.path)
        lines = split_lines(file.text)
        total = len(lines)
        start, end = _range(file.path, total, args.start, args.end)
        if not lines:
            data = {"path": file.path, "start": 0, "end": 0, "lines": 0}
            return Observation(text=f"{file.path}: the file is empty", data=data)
        points = session.state.get("pdb")
        numbered = _number(lines, start, end, set() if points is None else points.lines(file.path, file.text))
        end = start + len(numbered) - 1
        remarks = f" ({', '.join(file.remarks)})" if file.remarks else ""
        text = [f"{file.path}: lines {start}-{end} of {total}{remarks}", *numbered]
        if end < (total if args.end is None else min(args.end, total)):
            text.append(f"[more lines follow: view them with start={end + 1}]")
        data = {"path": file.path, "start": start, "end": end, "lines": total}
        return Observation(text="\n".join(text), data=data)

    def examples(self, session: Session) -> Iterable[dict[str, Any]]:
        """The first few files, whole and in part."""
        files = sample_files(session)
        whole = [{"path": file.path} for file in files]
        return [*whole, *({**call, "start": 1, "end": 5} for call in whole)]


def _range(path: str, total: int, start: int | None, end: int | None) -> tuple[int, int]:
    """The first and last line to show."""
    first = 1 if start is None else start
    if first < 1:
        raise ToolError(f"start is {first}, but lines are counted from 1")
    if end is not None and end < first:
        raise ToolError(f"end is {end}, which lies before the first line to show, {first}")
    if first > max(total, 1):
        raise ToolError(f"start is {first}, but {path} has only {total} lines")
    return first, min(total, first + MAX_LINES - 1 if end is None else min(end, first + MAX_RANGE - 1))


def _number(lines: Sequence[str], start: int, end: int, marked: set[int]) -> list[str]:
    """The lines with numbers and marks, as many as may be shown at once."""
    width = MAX_WIDTH if end > start else MAX_CHARACTERS
    digits = len(str(end))
    numbered: list[str] = []
    size = 0
    for number in range(start, end + 1):
        line = printable(lines[number - 1].rstrip("\r\n"))
        if len(line) > width:
            more = len(line) - width
            line = f"{line[:width]} [... {more} more characters; view this line alone to see them]"
        numbered.append(f"{'B>' if number in marked else '  '} {number:>{digits}}\t{line}")
        size += len(numbered[-1]) + 1
        if size > MAX_CHARACTERS:
            break
    return numbered
