"""What a release's changelog says, and which of its entries is about a change."""

import re
from collections.abc import Sequence
from pathlib import Path

from debug_gym.mining.base import Story

_NAMES = re.compile(
    r"^(?:changes|changelog|history|news|release[-_]?notes|whatsnew)(?:\.(?:md|rst|txt))?$", re.I
)
_FOLDERS = (".", "docs", "doc", "docs/source")
_BULLET = re.compile(r"^\s{0,3}[-*+]\s+")
_VERSION = re.compile(r"^(?:#+\s*|=+\s*)?(?:version|release|v)?\s*\[?v?(\d+(?:\.\d+)+)\b", re.IGNORECASE)
_COMMON = frozenset(
    [
        "test",
        "tests",
        "with",
        "when",
        "that",
        "this",
        "from",
        "have",
        "fixed",
        "self",
        "none",
        "return",
        "else",
    ]
)


def entries(root: Path, version: str) -> list[str]:
    """What the changelog of a repository says about a version, entry by entry; nothing if it has none."""
    for folder in _FOLDERS:
        place = root / folder
        for path in sorted(place.iterdir()) if place.is_dir() else ():
            if not path.is_file() or not _NAMES.match(path.name):
                continue
            if found := _section(path.read_text(encoding="utf-8", errors="replace"), version):
                return found
    return []


def _section(text: str, version: str) -> list[str]:
    found: list[str] = []
    inside = False
    for line in text.splitlines():
        heading = _VERSION.match(line.strip("# \t*"))
        if heading and not _BULLET.match(line):
            inside = heading[1] == version
            continue
        if not inside:
            continue
        if _BULLET.match(line):
            found.append(_BULLET.sub("", line).strip())
        elif found and line.strip() and line[0].isspace():
            found[-1] += f" {line.strip()}"
    return [" ".join(_plain(entry).split()) for entry in found]


def story(said: Sequence[str], words: str) -> Story:
    """The entry that is about a change: it has two words in common with it, and more than any other entry.
    A name of code, in backquotes, counts twice.

    Args:
        said: the entries.
        words: the changed code, and names of the tests that fail.
    """
    wanted = _words(words)
    rated = sorted(((_common(entry, wanted), entry) for entry in said), reverse=True)
    if not rated or rated[0][0] < 2 or (len(rated) > 1 and rated[1][0] == rated[0][0]):
        return Story()
    return Story("", f"The project's changelog says of it, once it is repaired: {rated[0][1]}")


def _common(entry: str, wanted: set[str]) -> int:
    quoted = _words(" ".join(re.findall(r"`([^`]+)`", entry)))
    return len(_words(entry) & wanted) + len(quoted & wanted)


def _words(text: str) -> set[str]:
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]{2,}", text)
    return {part.lower() for part in parts if len(part) > 3 or part.isupper()} - _COMMON


def _plain(entry: str) -> str:
    """Without links, roles and names of those who are thanked."""
    entry = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", entry)
    entry = re.sub(r"(?:^|(?<=[.!?]) )Thanks? .*$", "", entry)
    entry = re.sub(r":\w+(?::\w+)?:`~?([^`]+)`", r"\1", entry)
    entry = re.sub(
        r"\s*[(\[]?(?:(?:issue|pr|gh|bug|by|thanks|patch|contributed)\b[^()\[\]]*)[)\]]",
        "",
        entry,
        flags=re.I,
    )
    return entry.replace("``", "`")
