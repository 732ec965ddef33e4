"""Other constants in place of an expected one, drawn so that nobody can tell which of them is the original.

A set of constants, the original among them, is drawn in a way that gives the same set with the same
probability whichever of its members is the original: numbers of the same roundness out of the same block, a
word out of those that are used alike. Of constants drawn *around* the original it would be the middle.
"""

import ast
import random
import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from keyword import iskeyword

_WORD = re.compile(r"[^\W\d_]{3,}")
_NUMBER = re.compile(r"\d+")
_LONGER = 4
"""Letters that a word may be longer or shorter than the one it takes the place of."""
_SHARE = {0: 1.0, 1: 0.8, 5: 0.1, 10: 0.09, 100: 0.009, 1000: 0.001}
"""Roundness to the share of all numbers that have it."""
_WIDTHS = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
"""Of blocks: the next where one has too few numbers of a roundness. It must not depend on anything else, or a
set of numbers would tell which of them it was made for."""
_LETTERS = (string.ascii_lowercase, string.ascii_uppercase)


@dataclass(frozen=True)
class Other:
    """Another constant."""

    text: str
    """As source."""
    alike: bool = True
    """It looks no less like an original than the original does."""


class Words:
    """The words that can take each other's place in a file's strings.

    Args:
        texts: strings of the file.
        sources: texts that code under test can see.
    """

    def __init__(self, texts: Iterable[str], sources: Iterable[str] = ()) -> None:
        self._here = Counter(word for text in texts for word in _WORD.findall(text))
        sources = list(sources)
        self._there = {word for text in sources for word in _WORD.findall(text)}
        self._said = {word for text in sources for word in _said(text)}

    @classmethod
    def of(cls, tree: ast.AST, sources: Iterable[str] = ()) -> "Words":
        """Those of a Python file."""
        return cls(_constants(tree), sources)

    def like(self, word: str) -> list[str]:
        """The words that nothing tells from this one: of the same case and about its length, and like it seen
        or not seen elsewhere in the file, in the sources and in their strings; no keyword of Python's, if it
        is none."""
        seen = self._here[word] > 1, word in self._there, word in self._said, iskeyword(word)
        return sorted(
            other
            for other in {*self._here, *self._there}
            if other.lower() != word.lower()
            and _case(other) == _case(word)
            and abs(len(other) - len(word)) <= _LONGER
            and (other in self._here, other in self._there, other in self._said, iskeyword(other)) == seen
        )


def _constants(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@lru_cache(maxsize=4096)
def _said(text: str) -> frozenset[str]:
    """The words in the strings of a text, if it is Python."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return frozenset()
    return frozenset(word for said in _constants(tree) for word in _WORD.findall(said))


def others(value: object, text: str, chance: random.Random, words: Words, count: int = 1) -> list[Other]:
    """At most ``count`` other constants of the same kind; none where the kind has no good one.

    Args:
        value: the constant.
        text: how it is written.
        chance: which of the possible ones, and in which order.
        words: that may take the place of a word in a string.
        count: at most.
    """
    if isinstance(value, bool):
        return [Other(str(not value))]
    if isinstance(value, int):
        return [Other(_integer(other, text)) for other in numbers(value, chance, count)]
    if isinstance(value, float):
        return [Other(other) for other in _floats(text, chance, count)]
    if isinstance(value, str):
        return [Other(_literal(new, text), alike) for new, alike in _strings(value, chance, words, count)]
    if isinstance(value, bytes):
        found = _strings(value.decode("latin-1"), chance, Words([]), count)
        return [Other(repr(new.encode("latin-1")), alike) for new, alike in found]
    return []


def numbers(value: int, chance: random.Random, count: int = 1) -> list[int]:
    """Other numbers, none negative, as round as this one, out of the block of numbers that it lies in."""
    kind = _roundness(value)
    width = next(width for width in _WIDTHS if width * _SHARE[kind] > count)
    begin = value - value % width
    alike = [n for n in range(begin, begin + width) if n != value and _roundness(n) == kind]
    return chance.sample(alike, min(count, len(alike)))


def far(text: str, tolerance: Callable[[float], float], chance: random.Random, count: int = 1) -> list[str]:
    """Other numbers, so far from this one that nothing is close to both: the digits that matter are changed,
    the others kept.

    Args:
        text: how the number is written; with an exponent there are none.
        tolerance: how far from a number what is close to it may lie.
        chance: which of the possible ones.
        count: at most.
    """
    whole, _, part = text.partition(".")
    if not (whole + part).isdecimal():
        return []
    value, scale = int(whole + part), 10 ** len(part)
    for unit in (10**power for power in range(len(whole + part))):
        if unit > 2 * scale * tolerance((value + 100 * unit) / scale):
            heads = numbers(value // unit, chance, count)
            return [_decimal(head * unit + value % unit, len(part)) for head in heads]
    return []


def _decimal(value: int, places: int) -> str:
    return f"{value // 10**places}.{value % 10**places:0{places}d}" if places else str(value)


def _roundness(value: int) -> int:
    """How round a number is; all below 20 are alike."""
    if value < 20:
        return 0
    return next((step for step in (1000, 100, 10, 5) if value % step == 0), 1)


def _integer(value: int, text: str) -> str:
    if text[:2].lower() == "0x":
        return hex(value)
    return f"{value:_}" if "_" in text else str(value)


def _floats(text: str, chance: random.Random, count: int) -> Iterator[str]:
    """Numbers with as many digits behind the point."""
    whole, point, part = text.partition(".")
    if point and (whole + part).isdecimal():
        for other in numbers(int(whole + part), chance, count):
            yield _decimal(other, len(part))


def _strings(value: str, chance: random.Random, words: Words, count: int) -> list[tuple[str, bool]]:
    """The same string with another number, word or letter at one place; and whether it looks alike."""
    choices = []
    runs = list(_NUMBER.finditer(value))
    if runs:
        run = chance.choice(runs)
        found = numbers(int(run[0]), chance, count)
        choices.append((run.span(), [f"{number:0{len(run[0])}d}" for number in found], True))
    swaps = [(match.span(), words.like(match[0])) for match in _WORD.finditer(value)]
    swaps = [(place, like) for place, like in swaps if like]
    if swaps:
        most = max(min(len(like), count) for _, like in swaps)
        place, like = chance.choice([swap for swap in swaps if len(swap[1]) >= most])
        choices.append((place, chance.sample(like, min(count, len(like))), True))
    letters = [(i, kind) for i, letter in enumerate(value) for kind in _LETTERS if letter in kind]
    if not choices and letters:
        i, kind = chance.choice(letters)
        choices.append(((i, i + 1), chance.sample(kind.replace(value[i], ""), min(count, 25)), False))
    if not choices:
        return [(value + chance.choice("aex"), False)]
    most = max(len(new) for _, new, _ in choices)
    (start, end), chosen, alike = chance.choice([choice for choice in choices if len(choice[1]) == most])
    return [(value[:start] + new + value[end:], alike) for new in chosen]


def _case(word: str) -> tuple[bool, bool]:
    return word[0].isupper(), word.isupper()


def _literal(value: str, text: str) -> str:
    """As source text, with the quotes of the original where that is possible."""
    written = repr(value)
    if text[:1] == '"' and not {'"', "'"} & set(value):
        return f'"{written[1:-1]}"'
    return written
