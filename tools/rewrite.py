"""The ``rewrite`` tool: replace lines of a file, or the whole file, and see the difference."""

import ast
import difflib
import re
import threading
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import Field

from debug_gym.episode import Observation
from debug_gym.tools.base import Arguments, Session, Tool, ToolError
from debug_gym.tools.printable import printable
from debug_gym.tools.text import TextFile, clip, missing, read_text, relative, sample_files, split_lines

MAX_DIFF = 16_000
"""Characters of the difference that are shown; ``data`` has all of it."""
MAX_COMPARED = 5_000
"""Changed lines beyond which they are not compared one by one: that can take quadratic time."""
MAX_CHECKED = 1 << 18
"""Bytes of Python source beyond which its syntax is not checked."""
CONTEXT = 3
"""Unchanged lines around a change."""

_CHECK = """
import ast, sys
try: ast.parse(sys.stdin.buffer.read())
except SyntaxError as error: print("line %s: %s" % (error.lineno, error.msg))
"""
_parsing = threading.Lock()


class Rewrite(Tool):
    """Replaces lines of a file, or writes a whole file."""

    name, kind = "rewrite", "edit"
    description = (
        "Replace lines start to end of a file by new content; without start, write the whole file "
        "(it is created if it does not exist). A start one past the last line appends. "
        "The answer shows the change as a unified diff."
    )

    class Args(Arguments):
        """What to write where."""

        path: str = Field(description="the file, relative to the workspace or absolute")
        content: str = Field(description="the new lines; empty: the old ones are deleted")
        start: int | None = Field(default=None, description="first line to replace, counted from 1")
        end: int | None = Field(default=None, description="last line to replace, included; default: start")

    def run(self, session: Session, args: Args) -> Observation:
        """See ``Tool.run``."""
        if not args.path.strip():
            raise ToolError("path is empty: name the file to write")
        if args.start is None and args.end is not None:
            raise ToolError("end needs a start: give both, or neither to write the whole file")
        shown = relative(session, args.path)
        try:
            file = read_text(session, args.path)
        except FileNotFoundError:
            if args.start is not None:
                raise missing(session, shown, "file") from None
            return store(session, args.path, None, TextFile(shown, _ended(args.content, "\n")))
        content = file.adapt(args.content)
        if args.start is None:
            new = _ended(content, file.newline) if not file.text or file.text.endswith("\n") else content
        else:
            new = _replaced(file, content, args.start, args.start if args.end is None else args.end)
        return store(session, args.path, file, file.with_text(new))

    def examples(self, session: Session) -> Iterable[dict[str, Any]]:
        """Calls that change nothing that matters: first lines by themselves, a file of notes."""
        first = [(file.path, split_lines(file.text)[0]) for file in sample_files(session)]
        calls = [{"path": path, "content": line, "start": 1, "end": 1} for path, line in first]
        return [*calls, {"path": "notes.txt", "content": "nothing found yet\n"}]


def _ended(text: str, newline: str) -> str:
    """The text with a line end at its end."""
    return text + newline if text and not text.endswith("\n") else text


def _replaced(file: TextFile, content: str, start: int, end: int) -> str:
    lines = split_lines(file.text)
    if start < 1:
        raise ToolError(f"start is {start}, but lines are counted from 1")
    if end < start:
        raise ToolError(f"end is {end}, which lies before start, {start}")
    if start > len(lines) + 1:
        raise ToolError(
            f"start is {start}, but {file.path} has only {len(lines)} lines; {len(lines) + 1} would append"
        )
    before, after = "".join(lines[: start - 1]), "".join(lines[end:])
    if after or not file.text or file.text.endswith("\n"):
        content = _ended(content, file.newline)
    return _ended(before, file.newline) + content + after


def store(session: Session, path: str, old: TextFile | None, new: TextFile) -> Observation:
    """Write a changed (``old`` None: a new) file, and say what changed and whether it is valid Python.

    Raises:
        ToolError: the file's encoding lacks a character of the new text.
        OSError: the sandbox cannot write it.
    """
    if old is not None and new.text == old.text:
        data = {"path": new.path, "diff": "", "syntax_error": ""}
        text = f"{new.path}: nothing changed, the new text is equal to the old one"
        return Observation(text=text, data=data)
    encoded = new.encode()
    session.sandbox.write(path, encoded)
    diff = unified_diff(new.path, None if old is None else old.text, new.text)
    added, removed = (sum(line.startswith(sign) for line in diff.split("\n")[2:]) for sign in "+-")
    done = "created" if old is None else "changed"
    text = f"{new.path}: {done}, {added} {'line' if added == 1 else 'lines'} added, {removed} removed\n"
    text += clip(printable(diff.replace("\r\n", "\n")), MAX_DIFF)
    if not session.task.is_editable(new.path) or new.path in session.test_files:
        text += "[changes to this file are not part of the solution: it is judged without them]\n"
    error = syntax_error(session, new.path, encoded)
    if error:
        text += f"[syntax error in the changed file, {error}]\n"
    data = {"path": new.path, "diff": diff, "syntax_error": error}
    return Observation(text=text.rstrip("\n"), data=data)


def syntax_error(session: Session, path: str, source: bytes) -> str:
    """``line N: what is wrong`` for a Python file that cannot be parsed, else empty.

    The gym's own Python looks first, because that takes no time. If the task has another one, that one has
    the last word on an error.
    """
    if not path.endswith(".py") or len(source) > MAX_CHECKED:
        return ""
    found = _parse(source)
    if found and session.task.environment.python is not None:
        checked = session.sandbox.exec(["python", "-I", "-c", _CHECK], stdin=source, timeout=10)
        if checked.exit_code == 0:
            found = checked.output.strip()
    return printable(found)


def _parse(source: bytes) -> str:
    with _parsing, warnings.catch_warnings():  # which is not safe in threads
        warnings.simplefilter("ignore")
        try:
            ast.parse(source)
        except SyntaxError as error:
            return f"line {error.lineno}: {error.msg}"
        except (ValueError, RecursionError, MemoryError) as error:
            return f"it cannot be parsed: {error}"
    return ""


# -- the difference --------------------------------------------------------------------------

_HUNK = re.compile(r"^@@ -(\d+)(.*) \+(\d+)(.*) @@$")


def unified_diff(path: str, old: str | None, new: str) -> str:
    """The change of a file (``old`` None: it is new) in the form that ``patch`` and ``git apply`` take."""
    before, after = (re.findall(r"[^\n]*\n|[^\n]+", text) for text in (old or "", new))
    same = _common(before, after)
    same_end = _common(before[same:][::-1], after[same:][::-1])
    first = max(same - CONTEXT, 0)
    last = max(same_end - CONTEXT, 0)
    before, after = before[first : len(before) - last], after[first : len(after) - last]
    names = ("/dev/null" if old is None else f"a/{path}", f"b/{path}")
    if max(len(before), len(after)) <= MAX_COMPARED:
        lines: Iterable[str] = difflib.unified_diff(before, after, *names, n=CONTEXT)
    else:
        lines = _coarse_diff(before, after, names, same - first, same_end - last)
    return "".join(_shifted(lines, first))


def _common(left: list[str], right: list[str]) -> int:
    """How many lines at the start are equal."""
    for index, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return index
    return min(len(left), len(right))


def _coarse_diff(
    before: list[str], after: list[str], names: tuple[str, str], same: int, same_end: int
) -> Iterator[str]:
    """Everything between the equal lines at the start and at the end as one change."""
    yield from (f"--- {names[0]}\n", f"+++ {names[1]}\n")
    yield f"@@ -1,{len(before)} +1,{len(after)} @@\n"
    yield from (" " + line for line in before[:same])
    yield from ("-" + line for line in before[same : len(before) - same_end])
    yield from ("+" + line for line in after[same : len(after) - same_end])
    yield from (" " + line for line in before[len(before) - same_end :])


def _shifted(lines: Iterable[str], offset: int) -> Iterator[str]:
    """The lines of a diff whose line numbers are too small by ``offset``, with missing line ends noted."""
    for line in lines:
        hunk = _HUNK.match(line)
        if hunk:
            old, old_size, new, new_size = hunk.groups()
            yield f"@@ -{int(old) + offset}{old_size} +{int(new) + offset}{new_size} @@\n"
        elif line.endswith("\n"):
            yield line
        else:
            yield f"{line}\n\\ No newline at end of file\n"
