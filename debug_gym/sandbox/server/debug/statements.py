"""What tells a statement from a command, and where a statement of several lines ends."""

from __future__ import annotations

import codeop
import re
from typing import Deque, List

from .commands import BY_WORD

EXPRESSION_CHARACTERS = "=.[](),\"'+-*/%@&|<>~^"
"""As in Python 3.13, a first word that holds one of these is no command: ``c.x``, ``n=1``."""

_ALONE = frozenset(word for word, command in BY_WORD.items() if not command.argument)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\s*(?:[-+*/%&|^@]|//|\*\*|<<|>>)?=(?!=)")
_CLAUSES = ("else", "elif", "except", "finally", "case")


def as_statement(line: str) -> str:
    """Mark what only looks like a command as a statement: ``c = 5`` must not run the program."""
    word = line.split(maxsplit=1)[0] if line.strip() else ""
    call = re.match(r"(pp?)\(", line)
    if call:
        return call.group(1) + " " + line[len(call.group(1)) :]
    rest = line[len(word) :].strip()
    extra = word in _ALONE and rest and not rest.isdigit()
    return "!" + line if extra or _ASSIGNMENT.match(line) else line


def take_statement(first: str, following: Deque[str]) -> str:
    """A statement that begins with ``first``; where it goes on, with lines taken from those that follow."""
    lines = [first[1:].strip() if first.startswith("!") else first]
    while following and _goes_on(lines, following[0]):
        lines.append(following.popleft())
    return "\n".join(lines)


def _goes_on(lines: List[str], following: str) -> bool:
    """Whether a statement is not complete without the next line of the text."""
    text = "\n".join(lines)
    try:
        if codeop.compile_command(text, symbol="single") is not None:
            return False
        if codeop.compile_command(text + "\n", symbol="single") is None:
            return True
    except (SyntaxError, ValueError, OverflowError):
        return False
    first = re.split(r"\W", following.lstrip(), maxsplit=1)[0]
    return not following.strip() or following[:1].isspace() or first in _CLAUSES
