"""Unified diffs: what the agent reads of its edits, and what is exported as a patch."""

import difflib
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

CONTEXT = 3
"""Unchanged lines around a change."""
MAX_COMPARED = 5_000
"""Changed lines beyond which they are not compared one by one: that can take quadratic time."""
NOWHERE = "/dev/null"
"""The name of the side on which there is no file."""
_HUNK = re.compile(r"^@@ -(\d+)(.*) \+(\d+)(.*) @@$")
_HEAD = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(.*\n?)$")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
"""A line with its end. Only a line feed ends one: form feeds and lone carriage returns are content."""


def unified_diff(old: str, new: str, before: str, after: str) -> str:
    """The change from one text to another in the form that ``patch`` and ``git apply`` take.

    Args:
        old: the text as it was; empty where there was no file.
        new: the text as it is.
        before: the name of the old file, as it stands after ``---``: ``a/path`` or ``NOWHERE``.
        after: the name of the new one.

    Returns:
        Empty for equal texts.
    """
    left, right = _LINE.findall(old), _LINE.findall(new)
    same = _common(left, right)
    same_end = _common(left[same:][::-1], right[same:][::-1])
    first = max(same - CONTEXT, 0)
    last = max(same_end - CONTEXT, 0)
    left, right = left[first : len(left) - last], right[first : len(right) - last]
    if max(len(left), len(right)) <= MAX_COMPARED:
        lines: Iterable[str] = difflib.unified_diff(left, right, before, after, n=CONTEXT)
    else:
        lines = _coarse_diff(left, right, (before, after), same - first, same_end - last)
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


class Edit(NamedTuple):
    """Lines ``start`` to ``end`` of a file, counted from 1, become ``content``."""

    path: str
    start: int
    end: int
    content: str


def edits(patch: str) -> list[Edit]:
    """A unified diff as edits of single places, for each file from the last to the first: none moves another.

    What is only inserted takes the line before it, or else after it, along. Made of text files that exist; a
    file that is created is an edit of the lines 1 to 0, and one that is deleted becomes empty.
    """
    found: list[Edit] = []
    path, lines = "", iter(patch.splitlines())
    for line in lines:
        if (line.startswith("+++ ") and line[4:].strip() != NOWHERE) or line.startswith("--- a/"):
            path = line[4:].split("\t")[0].partition("/")[2]
        elif hunk := _HUNK.match(line):
            sizes = [int(size[1:] or 1) if size else 1 for size in (hunk[2], hunk[4])]
            found += _edits_of_hunk(path, int(hunk[1]), _body(lines, *sizes))
    return sorted(found, key=lambda edit: (edit.path, -edit.start))


def _body(lines: Iterator[str], old: int, new: int) -> list[str]:
    body: list[str] = []
    while old > 0 or new > 0:
        line = next(lines, "")
        if not line.startswith("\\"):
            body.append(line or " ")
            old -= body[-1][0] in " -"
            new -= body[-1][0] in " +"
    return body


def _edits_of_hunk(path: str, at: int, body: list[str]) -> Iterator[Edit]:
    """``at``: the number of the hunk's first line in the old file."""
    for changed, group in itertools.groupby(enumerate(body), key=lambda item: item[1][0] != " "):
        if changed:
            places = [place for place, _ in group]
            first, last = places[0], places[-1]
            if not any(body[place][0] == "-" for place in places):
                first, last = (first - 1, last) if first else (first, min(last + 1, len(body) - 1))
            kept = body[first : last + 1]
            start = at + sum(line[0] in " -" for line in body[:first])
            removed = sum(line[0] in " -" for line in kept)
            content = "".join(f"{line[1:]}\n" for line in kept if line[0] in " +")
            yield Edit(path, max(start, 1), max(start, 1) + removed - 1, content)


def reverse_patch(patch: str) -> str:
    """The patch that takes back what another does, in the form that ``git apply`` takes."""
    rest = _LINE.findall(patch)[::-1]  # the next one last
    turned: list[str] = []
    while rest:
        line = rest.pop()
        if match := _HEAD.match(line):
            old, old_size, new, new_size, end = match.groups()
            left, right = (f",{size}" if size is not None else "" for size in (new_size, old_size))
            turned.append(f"@@ -{new}{left} +{old}{right} @@{end}")
            turned += _turned_body(_hunk(rest, int(old_size or 1), int(new_size or 1)))
        elif line.startswith("+++ ") and turned and turned[-1].startswith("--- "):
            before = turned.pop()
            turned += [f"--- {_side(line, 'a')}", f"+++ {_side(before, 'b')}"]
        else:
            turned.append(_turned_header(line))
    return "".join(turned)


def _hunk(rest: list[str], old: int, new: int) -> Iterator[str]:
    """Take the lines of a hunk with so many old and new lines; a line's note is part of it."""
    while rest and (old > 0 or new > 0):
        line = rest.pop()
        old, new = old - (line[0] != "+"), new - (line[0] != "-")
        yield line + (rest.pop() if rest and rest[-1].startswith("\\") else "")


def _turned_body(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a hunk; what goes stands before what comes."""
    come: list[str] = []
    for line in lines:
        if line[0] == "-":
            come.append(f"+{line[1:]}")
        elif line[0] == "+":
            yield f"-{line[1:]}"
        else:
            yield from come
            come = []
            yield line
    yield from come


def _side(line: str, letter: str) -> str:
    """The name in a line ``--- a/path``, as that of the other side."""
    return re.sub(r"^[ab]/", f"{letter}/", line[4:])


_TURNED = (
    (r"^new file mode ", "deleted file mode "),
    (r"^deleted file mode ", "new file mode "),
    (r"^old mode ", "new mode "),
    (r"^new mode ", "old mode "),
    (r"^rename from ", "rename to "),
    (r"^rename to ", "rename from "),
    (r"^index (\w+)\.\.(\w+)", r"index \2..\1"),
    (r"^diff --git a/(.*) b/(.*)$", r"diff --git a/\2 b/\1"),
)
"""Lines of a git diff's header, and what they are in one that goes back."""


def _turned_header(line: str) -> str:
    for pattern, other in _TURNED:
        if re.match(pattern, line):
            return re.sub(pattern, other, line)
    return line
