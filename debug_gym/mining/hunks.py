"""A change of several files in its smallest parts, any of which can be applied by itself."""

import difflib
import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from debug_gym.diff import NOWHERE, unified_diff
from debug_gym.mining.base import Texts

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
"""A line with its end: form feeds and lone carriage returns are content, as in ``debug_gym.diff``."""


@dataclass(frozen=True, order=True)
class Hunk:
    """Lines of a file that are replaced by others; a file that comes or goes is one as a whole."""

    path: str
    start: int = 0
    end: int = 0
    new_start: int = 0
    new_end: int = 0
    whole: bool = False


def hunks(old: Texts, new: Texts) -> tuple[Hunk, ...]:
    """The parts of a change, by path and line."""
    found = []
    for path in sorted({*old, *new}):
        left, right = old.get(path), new.get(path)
        if left is None or right is None:
            found += [Hunk(path, whole=True)] if left != right else []
            continue
        matcher = difflib.SequenceMatcher(None, _lines(left), _lines(right), autojunk=False)
        found += [
            Hunk(path, start, end, new_start, new_end)
            for tag, start, end, new_start, new_end in matcher.get_opcodes()
            if tag != "equal"
        ]
    return tuple(found)


def apply_hunks(old: Texts, new: Texts, chosen: Collection[Hunk]) -> dict[str, str | None]:
    """The old texts with some parts of the change to the new ones."""
    texts = {path: old.get(path) for path in {*old, *new}}
    parts: dict[str, list[Hunk]] = defaultdict(list)
    for hunk in chosen:
        parts[hunk.path].append(hunk)
    for path, mine in parts.items():
        if mine[0].whole:
            texts[path] = new.get(path)
            continue
        lines, replacing = _lines(old[path] or ""), _lines(new[path] or "")
        for hunk in sorted(mine, reverse=True):
            lines[hunk.start : hunk.end] = replacing[hunk.new_start : hunk.new_end]
        texts[path] = "".join(lines)
    return texts


def patch(old: Texts, new: Texts) -> str:
    """The change as a unified diff that ``git apply`` takes."""
    parts = []
    for path in sorted({*old, *new}):
        left, right = old.get(path), new.get(path)
        if left == right:
            continue
        before, after = (
            f"a/{path}" if left is not None else NOWHERE,
            f"b/{path}" if right is not None else NOWHERE,
        )
        header = f"diff --git a/{path} b/{path}\n"
        header += (
            "new file mode 100644\n"
            if left is None
            else "deleted file mode 100644\n"
            if right is None
            else ""
        )
        parts.append(header + unified_diff(left or "", right or "", before, after))
    return "".join(parts)


def _lines(text: str) -> list[str]:
    return _LINE.findall(text)
