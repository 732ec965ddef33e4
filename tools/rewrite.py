"""The ``rewrite`` tool: replace lines of a file, or the whole file, and see the difference."""

import ast
import threading
import warnings
from collections.abc import Iterable
from typing import Any

from pydantic import Field

from debug_gym.diff import NOWHERE, unified_diff
from debug_gym.episode import Observation
from debug_gym.tools.base import Arguments, Session, Tool, ToolError
from debug_gym.tools.printable import printable
from debug_gym.tools.text import TextFile, clip, missing, read_text, relative, sample_files, split_lines

MAX_DIFF = 16_000
"""Characters of the difference that are shown; ``data`` has all of it."""
MAX_CHECKED = 1 << 18
"""Bytes of Python source beyond which its syntax is not checked."""

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
    before = NOWHERE if old is None else f"a/{new.path}"
    diff = unified_diff(old.text if old is not None else "", new.text, before, f"b/{new.path}")
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
