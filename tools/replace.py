"""The ``replace`` tool: put one piece of text in the place of another that occurs exactly once."""

import difflib
from collections.abc import Iterable
from typing import Any

from pydantic import Field

from debug_gym.episode import Observation
from debug_gym.tools.base import Arguments, Session, Tool, ToolError
from debug_gym.tools.printable import printable
from debug_gym.tools.rewrite import store
from debug_gym.tools.text import TextFile, read_existing, sample_files, split_lines

MAX_COMPARED = 3_000
"""Lines of a file that are compared to find similar ones."""


class Replace(Tool):
    """Replaces a text that occurs once in a file."""

    name, kind = "replace", "edit"
    description = (
        "Replace one piece of text in a file by another. It is searched for exactly, with its spaces and "
        "line ends, and must occur once. The answer shows the change as a unified diff."
    )

    class Args(Arguments):
        """What to replace by what."""

        path: str = Field(description="the file, relative to the workspace or absolute")
        old: str = Field(description="the text to replace, whole lines or parts, with no line numbers")
        new: str = Field(description="the text to put there; empty: the old one is deleted")

    def run(self, session: Session, args: Args) -> Observation:
        """See ``Tool.run``."""
        if not args.old:
            raise ToolError("old is empty: give the text to replace, or use rewrite to insert lines")
        file = read_existing(session, args.path)
        # The agent sees no carriage returns, so it cannot give them.
        old = args.old if args.old in file.text else file.adapt(args.old)
        own_line_ends = "\n" in old and "\r\n" not in old
        new = args.new.replace("\r\n", "\n") if own_line_ends else file.adapt(args.new)
        places = _places(file.text, old)
        if not places:
            raise ToolError(f"{file.path} does not hold this text{_hint(file, args.old)}")
        if len(places) > 1:
            shown = ", ".join(map(str, places[:20])) + (", ..." if len(places) > 20 else "")
            raise ToolError(
                f"{file.path} holds this text {len(places)} times, at lines {shown}: "
                "give more of the lines around the one you mean"
            )
        return store(session, args.path, file, file.with_text(file.text.replace(old, new)))

    def examples(self, session: Session) -> Iterable[dict[str, Any]]:
        """First lines that occur once, replaced by themselves."""
        first = [(file, split_lines(file.text)[0]) for file in sample_files(session)]
        unique = [(file.path, line) for file, line in first if file.text.count(line) == 1]
        return [{"path": path, "old": line, "new": line} for path, line in unique]


def _places(text: str, wanted: str) -> list[int]:
    """The lines at which the text occurs, overlapping ones too."""
    places = []
    line, done = 1, 0
    found = text.find(wanted)
    while found >= 0:
        line += text.count("\n", done, found)
        done = found
        places.append(line)
        found = text.find(wanted, found + 1)
    return places


def _hint(file: TextFile, wanted: str) -> str:
    """Where there is a text like the wanted one: the same but for spaces, or lines similar to its first."""
    lines = [line.rstrip("\r\n") for line in split_lines(file.text)[:MAX_COMPARED]]
    stripped = [line.strip() for line in lines]
    block = [line.strip() for line in wanted.strip("\r\n").split("\n")]
    if not any(block):
        return ""
    for index in range(len(lines) - len(block) + 1):
        if stripped[index : index + len(block)] == block:
            shown = "\n".join(lines[index : index + min(len(block), 10)])
            return f", but from line {index + 1} on it is the same except for spaces:\n{printable(shown)}"
    first = next(line for line in block if line)
    known = dict.fromkeys(line[:200] for line in stripped if line)
    close = difflib.get_close_matches(first[:200], list(known), n=3, cutoff=0.6)
    similar = [number for number, line in enumerate(stripped) if line[:200] in close][:3]
    if not similar:
        return "; view shows what it holds"
    numbered = (f"{number + 1}\t{printable(lines[number][:500])}" for number in similar)
    return "; similar lines:\n" + "\n".join(numbered)
