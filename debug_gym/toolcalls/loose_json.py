"""JSON as language models write it: slightly broken. What can mean one thing only is mended, and reported.

Refused are a text that ends inside a string or where a value should stand, quotes that are not escaped, and
missing commas: there a guess could change what was meant.
"""

import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn

MAX_DEPTH = 100
"""Brackets within brackets."""
IGNORED = re.compile(r"\s+|(?P<comment>//[^\n]*|#[^\n]*|/\*.*?\*/)", re.DOTALL)
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])")
WORD = re.compile(r"[A-Za-z_]\w*")
STRING = {
    '"': re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL),
    "'": re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL),
}
SPECIAL = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\?[\x00-\x1f]|\\.|"', re.DOTALL)
"""What may not stand in a JSON string as it is; first what may."""
LITERALS = {"true": True, "false": False, "null": None}
PYTHON = {"True": True, "False": False, "None": None}


class BrokenJSONError(ValueError):
    """The text is no JSON and cannot be mended; the message says where and why."""


def loads(text: str) -> tuple[Any, list[str]]:
    """The value of a JSON text, and what was mended to read it (nothing where the text is valid).

    Mended are trailing commas, closing brackets that are missing at the end, single quotes, keys without
    quotes, line breaks and other control characters in strings, backslashes that start no escape (they are
    kept), comments, and Python's ``True``, ``False`` and ``None``.

    Raises:
        BrokenJSONError: it cannot be read without guessing.
    """
    try:
        return json.loads(text), []
    except (ValueError, RecursionError):
        pass
    reader = _Reader(text)
    value = reader.value()
    if reader.skip():
        reader.fail("there is more text after the end")
    return value, list(reader.mended)


def read(text: str, at: int) -> tuple[Any, int, list[str]]:
    """The value that begins at a position, where it ends, and what was mended to read it (see ``loads``).

    Raises:
        BrokenJSONError: it cannot be read without guessing.
    """
    try:
        value, end = json.JSONDecoder().raw_decode(text, at)
    except (ValueError, RecursionError):
        reader = _Reader(text, at)
        return reader.value(), reader.at, list(reader.mended)
    return value, end, []


def report(mended: Iterable[str]) -> str:
    """What a model is told whose call was mended."""
    what = ", ".join(mended)
    return f"Your call was mended ({what}): see that it was read as you meant it, and write it correctly."


class _Reader:
    """Reads values from a position on."""

    def __init__(self, text: str, at: int = 0) -> None:
        self._text, self._at, self._depth = text, at, 0
        self.mended: dict[str, None] = {}

    @property
    def at(self) -> int:
        """Where the reader stands."""
        return min(self._at, len(self._text))

    def value(self) -> Any:
        sign = self.skip()
        if sign in ("{", "["):
            return self._collection(sign)
        if sign in STRING:
            return self._string(sign)
        if match := NUMBER.match(self._text, self._at):
            try:
                value = json.loads(match[0])
            except ValueError:  # Python reads no integer of more than 4300 digits
                self.fail("a number is too long")
            self._at = match.end()
            return value
        word = WORD.match(self._text, self._at)
        if word is None or word[0] not in LITERALS | PYTHON:
            self.fail("a value is missing" if sign else "the text ends where a value should stand")
        if word[0] in PYTHON:
            self._mend("True, False or None")
        self._at = word.end()
        return (LITERALS | PYTHON)[word[0]]

    def skip(self) -> str:
        """Pass white space and comments; the next character, or nothing at the end."""
        while match := IGNORED.match(self._text, self._at):
            self._at = match.end()
            if match["comment"]:
                self._mend("a comment")
        return self._text[self._at : self._at + 1]

    def fail(self, why: str) -> NoReturn:
        line = self._text.count("\n", 0, self._at) + 1
        column = self._at - self._text.rfind("\n", 0, self._at)
        raise BrokenJSONError(f"{why} (line {line}, column {column})")

    def _collection(self, opening: str) -> dict[str, Any] | list[Any]:
        if self._depth == MAX_DEPTH:
            self.fail(f"more than {MAX_DEPTH} brackets within brackets")
        self._depth += 1
        self._at += 1
        closing, items = {"{": "}", "[": "]"}[opening], []
        while self.skip() != closing:
            items.append(self._pair() if opening == "{" else self.value())
            sign = self.skip()
            if sign == ",":
                self._at += 1
                if self.skip() == closing:
                    self._mend("a comma too many")
            elif not sign:
                self._mend(f"a missing {closing}")
                break
            elif sign != closing:
                self.fail(f"{sign} stands where a comma or {closing} should")
        self._at += 1
        self._depth -= 1
        return dict(items) if opening == "{" else items

    def _pair(self) -> tuple[str, Any]:
        sign = self.skip()
        if sign in STRING:
            key = self._string(sign)
        elif word := WORD.match(self._text, self._at):
            self._mend("a key without quotes")
            key, self._at = word[0], word.end()
        else:
            self.fail("a key is missing" if sign else "the text ends where a key should stand")
        if self.skip() != ":":
            self.fail(f"a colon is missing after the key {key!r}")
        self._at += 1
        return key, self.value()

    def _string(self, quote: str) -> str:
        match = STRING[quote].match(self._text, self._at)
        if match is None:
            self.fail("a string begins here and does not end")
        if quote == "'":
            self._mend("single quotes")
        self._at = match.end()
        text: str = json.loads(f'"{SPECIAL.sub(self._escaped, match[1])}"')
        return text

    def _escaped(self, match: re.Match[str]) -> str:
        """What stands for a character or an escape in valid JSON."""
        found = match[0]
        if len(found) == 1:  # in single quotes, a double one may stand as it is
            if found != '"':
                self._mend("a line break or control character in a string")
            return json.dumps(found)[1:-1]
        if found[1] in '"\\/bfnrt' or (found[1] == "u" and len(found) > 2):
            return found
        if found == "\\'":
            self._mend("an escaped single quote")
            return "'"
        self._mend("a backslash that starts no escape")
        return "\\\\" + json.dumps(found[1])[1:-1]

    def _mend(self, what: str) -> None:
        self.mended.setdefault(what)
