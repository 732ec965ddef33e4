"""Edits of the files that tests compare with: snapshots, and data that says what is expected.

Only values that are expectations by the name of their file or key: a changed input says nothing about the
code.
"""

import json
import random
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePosixPath

from debug_gym.judge.controls.edits import Edit
from debug_gym.judge.controls.literals import Words, others

_WANTED = r"expect|want|golden|approved|snapshot"
_FILE = re.compile(rf"{_WANTED}|\.(snap|ambr)$", re.IGNORECASE)
_JSON = json.JSONDecoder()
_BETWEEN = re.compile(r"[\s,]*")
_SHORTEST = 3
"""Letters that make a name of a file distinctive."""
_SCALAR = r'-?\d+(?:\.\d+)?|"[^"\\\n]*"'
_KEYED = re.compile(rf'\b\w*(?:{_WANTED})\w*"?\s*:\s*({_SCALAR})(?=\s*[,}}\]\n]|$)', re.IGNORECASE)
_ANY = re.compile(rf'({_SCALAR})(?!\s*:)|\b(\d+|[^\W\d_]{{3,}})\b(?!"?\s*:)')


def is_read(path: str, test_text: str) -> bool:
    """Whether a test file seems to read a data file: its text has the file's name, or as a word what the name
    has before its suffix (the rest may be put together elsewhere)."""
    name = PurePosixPath(path)
    if name.name in test_text or name.suffix in {".snap", ".ambr"}:
        return True
    named = len(name.stem) >= _SHORTEST and re.search(rf"\b{re.escape(name.stem)}\b", test_text)
    return name.suffix in {".json", ".jsonl"} and bool(named)


def data_edits(path: str, text: str, seed: object, count: int = 1) -> Iterator[list[Edit]]:
    """Edits of one expectation each, at most ``count`` of one place, in random order; the same seed gives the
    same ones."""
    chance = random.Random(str(seed))
    pattern = _ANY if _FILE.search(path) else _KEYED
    places = [match.span(match.lastindex or 0) for match in pattern.finditer(text)]
    words = Words([text])
    for start, end in chance.sample(places, len(places)):
        yield _edits_at(text, (start, end), chance, words, count)


def row_edits(text: str, row: int, seed: object, count: int = 1) -> list[Edit]:
    """Edits of what one row of a table demands: a scalar of its last cell. The table is a JSON array of
    arrays, or has such an array on each line.

    Args:
        text: of the file.
        row: counted from 0.
        seed: the same seed gives the same edits.
        count: at most.
    """
    chance = random.Random(str(seed))
    rows = [start for start, _, value in _rows(text) if isinstance(value, list) and len(value) > 1]
    if row >= len(rows):
        return []
    *_, (start, end, value) = _elements(text, rows[row])
    while isinstance(value, list) and value:
        start, end, value = chance.choice(list(_elements(text, start)))
    if isinstance(value, list | dict | None):
        return []
    return _edits_at(text, (start, end), chance, Words([text]), count)


def _rows(text: str) -> Iterator[tuple[int, int, object]]:
    """Begin, end and value of each row of a table."""
    with suppress(ValueError):
        if isinstance(json.loads(text), list):
            yield from _elements(text, text.index("["))
            return
    start = 0
    for line in text.splitlines(keepends=True):
        with suppress(ValueError):
            value, end = _JSON.raw_decode(line)
            yield start, start + end, value
        start += len(line)


def _elements(text: str, start: int) -> Iterator[tuple[int, int, object]]:
    """Begin, end and value of each element of the JSON array that begins at ``start``."""
    start += 1
    while (match := _BETWEEN.match(text, start)) and text[match.end() : match.end() + 1] not in {"]", ""}:
        value, end = _JSON.raw_decode(text, match.end())
        yield match.end(), end, value
        start = end


def _edits_at(
    text: str, span: tuple[int, int], chance: random.Random, words: Words, count: int
) -> list[Edit]:
    """Other values in place of the one between two places of a text."""
    start, end = span
    old = text[start:end]
    value = _value(old)
    bare = isinstance(value, str) and old[:1] != '"'
    line, column = text.count("\n", 0, start) + 1, start - (text.rfind("\n", 0, start) + 1)
    found = others(value, old, chance, words, count)
    news = [(other.text[1:-1] if bare else _as_json(value, other.text), other.alike) for other in found]
    return [Edit(line, column, old, new, certain=False, alike=alike) for new, alike in news]


def _as_json(value: object, text: str) -> str:
    return text.lower() if isinstance(value, bool) else text


def _value(text: str) -> object:
    if text in {"true", "false"}:
        return text == "true"
    if text[:1] == '"':
        return text[1:-1]
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text
