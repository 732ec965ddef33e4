"""Source and values as text: short, aligned, within bounds."""

from __future__ import annotations

import reprlib
import traceback
from collections import deque
from typing import Any, Callable, List, Sequence

AROUND = 3
"""Lines shown before and after the one where the program stands."""
WIDTH = 240
"""Characters shown of one line of source."""
MAX_VALUE, MAX_MESSAGE = 4_000, 24_000
"""Characters of one value, and of anything else that the debugger says at once."""


def listing(lines: Sequence[str], first: int, current: int, breaks: Any, raised: int = -1) -> List[str]:
    """Lines of source from number ``first`` on: the number, ``B`` for a breakpoint, ``->`` for where the
    program stands, ``>>`` for where the exception was raised."""
    width = max(4, len(str(first + len(lines))))
    shown = []
    for number, line in enumerate(lines, first):
        arrow = "->" if number == current else ">>" if number == raised else "  "
        line = line.rstrip()
        line = line if len(line) <= WIDTH else line[:WIDTH] + " [...]"
        row = "%*d %s%s  %s" % (width, number, "B" if number in breaks else " ", arrow, line)
        shown.append(row.rstrip())
    return shown


def cut(text: str, limit: int = MAX_MESSAGE) -> str:
    """At most about ``limit`` characters, with a notice in the middle that says what is missing."""
    if len(text) <= limit:
        return text
    tail = limit // 5
    head = limit - tail
    return "%s\n[... %d characters cut ...]\n%s" % (text[:head], len(text) - limit, text[-tail:])


def value(thing: Any, render: Callable[[Any], str] = repr) -> str:
    """What ``render`` makes of a value, within bounds. A huge container is not even rendered."""
    if _fits(thing):
        text = render(thing)
        if len(text) <= MAX_VALUE:
            return text
        return cut(text, MAX_VALUE)
    return "%s\n[cut: %s; ask for a part of it]" % (_SHORT.repr(thing), _measure(thing))


def shown(render: Callable[[], str]) -> str:
    """What ``render`` makes of the program's values. Their own code may raise anything: that is told. Only a
    ``KeyboardInterrupt`` passes: it may be an interrupt, because this takes too long."""
    try:
        return render()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return "(its repr fails: %s)" % type(error).__name__


def _fits(thing: Any, budget: int = 3_000) -> bool:
    """Whether a value built of plain containers is small enough to be rendered whole."""
    todo = [thing]
    while todo:
        item = todo.pop()
        kind = type(item)
        budget -= 1
        if kind in (str, bytes, bytearray):
            budget -= len(item) // 16
        elif kind in (list, tuple, set, frozenset, deque, dict):
            budget -= len(item)
            if budget > 0:
                todo.extend(item)
                if kind is dict:
                    todo.extend(item.values())
        if budget <= 0:
            return False
    return True


def _measure(thing: Any) -> str:
    try:
        return "a %s of length %d" % (type(thing).__name__, len(thing))
    except Exception:
        return "a large %s" % type(thing).__name__


def _shortened() -> reprlib.Repr:
    short = reprlib.Repr()
    short.maxlist = short.maxtuple = short.maxset = short.maxfrozenset = short.maxdict = short.maxdeque = 40
    short.maxstring = short.maxother = 1_000
    short.maxlong, short.maxlevel = 200, 4
    return short


_SHORT = _shortened()


def describe(error: BaseException) -> str:
    """An exception as Python prints it, without its traceback."""
    try:
        return "".join(traceback.format_exception_only(type(error), error)).strip()
    except BaseException:  # its own code may raise anything
        return type(error).__name__


def brief(error: BaseException) -> str:
    """The same without the source line that a ``SyntaxError`` comes with."""
    return describe(error).rpartition("\n")[2] if isinstance(error, SyntaxError) else describe(error)
