"""What a release's changelog says, and which of its entries is about a change."""

import re
from collections.abc import Iterable
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


def story(said: Iterable[str], words: str) -> Story:
    """The entry that has most words in common with a change, if any has two.

    Args:
        said: the entries.
        words: names of the changed code and of the tests that fail.
    """
    wanted = _words(words)
    rated = [(len(_words(entry) & wanted), entry) for entry in said]
    count, best = max(rated, default=(0, ""))
    if count < 2:
        return Story()
    first, _, rest = best.partition(". ")
    return Story(first, rest)


def _words(text: str) -> set[str]:
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]{2,}", text)
    return {part.lower() for part in parts if len(part) > 3 or part.isupper()} - _COMMON


def _plain(entry: str) -> str:
    """Without links, roles and names of those who are thanked."""
    entry = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", entry)
    entry = re.sub(r":\w+(?::\w+)?:`~?([^`]+)`", r"\1", entry)
    entry = re.sub(
        r"\s*[(\[]?(?:(?:issue|pr|gh|bug|by|thanks|patch|contributed)\b[^()\[\]]*)[)\]]",
        "",
        entry,
        flags=re.I,
    )
    return entry.replace("``", "`")
