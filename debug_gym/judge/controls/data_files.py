"""Edits of the files that tests compare with: snapshots, and data that says what is expected.

Only values that are expectations by the name of their file or key: a changed input says nothing about the
code.
"""

import random
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from debug_gym.judge.controls.edits import Edit
from debug_gym.judge.controls.literals import Words, others

_WANTED = r"expect|want|golden|approved|snapshot"
_FILE = re.compile(rf"{_WANTED}|\.(snap|ambr)$", re.IGNORECASE)
_SCALAR = r'-?\d+(?:\.\d+)?|"[^"\\\n]*"'
_KEYED = re.compile(rf'\b\w*(?:{_WANTED})\w*"?\s*:\s*({_SCALAR})(?=\s*[,}}\]\n]|$)', re.IGNORECASE)
_ANY = re.compile(rf'({_SCALAR})(?!\s*:)|\b(\d+|[^\W\d_]{{3,}})\b(?!"?\s*:)')


def is_read(path: str, test_text: str) -> bool:
    """Whether a test file seems to read a data file: its text has the file's name."""
    name = PurePosixPath(path)
    return name.name in test_text or name.suffix in {".snap", ".ambr"}


def data_edits(path: str, text: str, seed: object, count: int = 1) -> Iterator[list[Edit]]:
    """Edits of one expectation each, at most ``count`` of one place, in random order; the same seed gives the
    same ones."""
    chance = random.Random(str(seed))
    pattern = _ANY if _FILE.search(path) else _KEYED
    places = [match.span(match.lastindex or 0) for match in pattern.finditer(text)]
    words = Words([text])
    for start, end in chance.sample(places, len(places)):
        old = text[start:end]
        value = _value(old)
        bare = isinstance(value, str) and old[:1] != '"'
        line, column = text.count("\n", 0, start) + 1, start - (text.rfind("\n", 0, start) + 1)
        found = others(value, old, chance, words, count)
        news = [(other.text[1:-1] if bare else other.text, other.alike) for other in found]
        yield [Edit(line, column, old, new, certain=False, alike=alike) for new, alike in news]


def _value(text: str) -> object:
    if text[:1] == '"':
        return text[1:-1]
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text
