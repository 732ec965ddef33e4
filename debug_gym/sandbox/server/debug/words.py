"""The words of the debugger's language, and where one statement ends in a text of several lines."""

from __future__ import annotations

import codeop
import re
from typing import List

GOING = frozenset(["c", "cont", "continue"])
LEAVING = frozenset(["q", "quit", "exit", "EOF", "quit()", "exit()"])
RESUMING = GOING | LEAVING | frozenset(["s", "step", "n", "next", "r", "return", "unt", "until", "j", "jump"])
"""Commands after which the program runs again, or has ended."""
POINTS = frozenset(
    ["b", "break", "tbreak", "cl", "clear", "condition", "ignore", "enable", "disable", "commands"]
)
WITHOUT_PROGRAM = POINTS | {"set", "alias", "unalias", "h", "help"}
"""Commands that need no program."""
TRAVEL = frozenset(["back", "goto", "checkpoints"])
"""Commands that need no program that runs, but one that has run."""

EXPRESSION_CHARACTERS = "=.[](),\"'+-*/%@&|<>~^"
"""As in Python 3.13, a first word that holds one of these is no command: ``c.x``, ``n=1``."""

_NO_ARGUMENT = GOING | frozenset(["s", "step", "n", "next", "r", "return", "a", "args", "rv", "retval", "ll"])
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\s*(?:[-+*/%&|^@]|//|\*\*|<<|>>)?=(?!=)")
_CLAUSES = ("else", "elif", "except", "finally", "case")


def as_statement(line: str) -> str:
    """Mark what only looks like a command as a statement: ``c = 5`` must not run the program."""
    word = line.split(maxsplit=1)[0] if line.strip() else ""
    call = re.match(r"(pp?)\(", line)
    if call:
        return call.group(1) + " " + line[len(call.group(1)) :]
    extra = word in _NO_ARGUMENT and line.strip() != word
    return "!" + line if extra or _ASSIGNMENT.match(line) else line


def goes_on(lines: List[str], following: str) -> bool:
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
