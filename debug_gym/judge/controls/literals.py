"""Other constants that look as if a person had written them: nobody shall tell a control by its looks."""

import ast
import random
import re
import string
from collections.abc import Iterable, Iterator, Sequence

_CLASSES = (string.digits, string.ascii_lowercase, string.ascii_uppercase)
_WORD = re.compile(r"[^\W\d_]{2,}")


def words_of(tree: ast.AST) -> list[str]:
    """The words in the strings of a file, sorted: what its own expectations are made of."""
    values = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return words_in(value for value in values if isinstance(value, str))


def words_in(texts: Iterable[str]) -> list[str]:
    """The words of texts, sorted."""
    return sorted({word for text in texts for word in _WORD.findall(text)})


def mutated(value: object, text: str, chance: random.Random, words: Sequence[str] = ()) -> Iterator[str]:
    """Source text of one other constant of the same kind; none where the kind has no good one.

    Args:
        value: the constant.
        text: how it is written.
        chance: which of the possible ones.
        words: that may take the place of a word in a string.
    """
    if isinstance(value, bool):
        yield str(not value)
    elif isinstance(value, int):
        yield _integer(value, text, chance)
    elif isinstance(value, float):
        yield repr(round(value * chance.choice([0.5, 1.5, 2]), 9) if value else chance.choice([0.5, 1.0]))
    elif isinstance(value, str):
        yield _literal(_string(value, chance, words), text)
    elif isinstance(value, bytes):
        yield repr(_string(value.decode("latin-1"), chance).encode("latin-1"))


def _integer(value: int, text: str, chance: random.Random) -> str:
    steps = [1, 2, 3, 4, 10, 20, 100] if value > 100 else [1, 2, 3, 4, 5, 10]
    other = value + chance.choice([*steps, *(-step for step in steps if value - step >= min(value, 0))])
    if text[:2].lower() == "0x":
        return hex(other)
    return f"{other:_}" if "_" in text else str(other)


def _string(value: str, chance: random.Random, words: Sequence[str] = ()) -> str:
    """One digit replaced by another, one word by another of the file with the same length and case, or else
    one letter."""
    swaps = [
        (match.start(), match.end(), word)
        for match in _WORD.finditer(value)
        for word in words
        if word.lower() != match[0].lower() and _shape(word) == _shape(match[0])
    ]
    if swaps and (chance.random() < 0.5 or not any(map(str.isdigit, value))):
        start, end, word = chance.choice(swaps)
        return value[:start] + word + value[end:]
    places = [(i, kind) for i, letter in enumerate(value) for kind in _CLASSES if letter in kind]
    digits = [place for place in places if place[1] is string.digits]
    places = digits or places
    if not places:
        return value + chance.choice("aex")
    i, kind = chance.choice(places)
    return value[:i] + chance.choice(kind.replace(value[i], "")) + value[i + 1 :]


def _shape(word: str) -> tuple[int, bool, bool]:
    return len(word), word[0].isupper(), word.isupper()


def _literal(value: str, text: str) -> str:
    """As source text, with the quotes of the original where that is possible."""
    written = repr(value)
    if text[:1] == '"' and not {'"', "'"} & set(value):
        return f'"{written[1:-1]}"'
    return written
