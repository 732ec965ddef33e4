"""What a stop shows of the local variables: those that changed since the stop before."""

from __future__ import annotations

import types
from typing import Any, Dict, Iterator, List, Mapping, Tuple

from .rendering import shown, value

MAX_CHANGES = 20
"""Variables listed at one stop."""
WIDTH = 100
"""Characters shown of one value."""
_MAX_COMPARED = 500
"""Names in a function or module that are looked at."""
_NO_DATA = (types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType, type)

Place = Tuple[types.CodeType, int]
"""A function, and how deep it stands in the stack: so the calls of a recursion are told apart."""


class Changes:
    """The local variables as they were at the last stop in each function that still runs."""

    def __init__(self) -> None:
        self._known: Dict[Place, Dict[str, str]] = {}

    def look(self, place: Place, variables: Mapping[str, Any]) -> List[str]:
        """How the variables differ from the last stop at this place, one line each. What changes deep inside
        a huge value goes unseen, because such a value is never rendered whole."""
        depth = place[1]
        before = self._known.get(place, {})
        known = {other: texts for other, texts in self._known.items() if other[1] < depth}
        now = dict(_rendered(variables))
        self._known = {**known, place: now}
        found = []
        for name, text in now.items():
            if name not in before:
                found.append("%s = %s  (new)" % (name, _brief(text)))
            elif before[name] != text:
                found.append("%s = %s  (was %s)" % (name, _brief(text), _brief(before[name])))
        found += ["%s  (gone)" % name for name in before if name not in now]
        more = len(found) - MAX_CHANGES
        return found if more <= 0 else [*found[:MAX_CHANGES], "[... and %d more]" % more]


def _rendered(variables: Mapping[str, Any]) -> Iterator[Tuple[str, str]]:
    """Name and text of what holds data; then the attributes of objects whose repr tells nothing of them."""
    silent = []
    for name, thing in list(variables.items())[:_MAX_COMPARED]:
        if not name.isidentifier() or name.startswith("__") or isinstance(thing, _NO_DATA):
            continue  # pytest puts helpers with other names beside the variables
        yield name, _text(thing)
        if getattr(type(thing), "__repr__", None) is object.__repr__:
            silent.append((name, thing))
    for name, thing in silent:
        for attribute, inner in list(getattr(thing, "__dict__", {}).items())[:MAX_CHANGES]:
            yield "%s.%s" % (name, attribute), _text(inner)


def _text(thing: Any) -> str:
    return shown(lambda: value(thing))


def _brief(text: str) -> str:
    """On one line. What is appended to a long value is seen at its end."""
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else "%s [...] %s" % (line[: WIDTH * 2 // 3], line[-WIDTH // 4 :])
