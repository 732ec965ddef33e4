"""What a runtime answers, checked: code under test can get at most of what its replies are made of."""

import builtins
from collections.abc import Mapping
from typing import Any, TypeVar

from debug_gym.errors import ProtocolError
from debug_gym.sandbox.base import DebugReply, ExecResult, Stop, TestRun, TraceRow, TraceRun

Reply = dict[str, Any]
Types = Mapping[str, type | tuple[type, ...]]
T = TypeVar("T")

_NUMBER: tuple[type, ...] = (int, type(None))
_EXEC: Types = {
    "exit_code": _NUMBER,
    "output": str,
    "dropped": int,
    "timed_out": bool,
    "killed": int,
    "note": str,
}
_TESTS: Types = {
    **_EXEC,
    "complete": bool,
    "collected": list,
    "outcomes": dict,
    "messages": dict,
    "warm": bool,
}
_STOP: Types = {"file": str, "line": int, "function": str, "reason": str}
_DEBUG: Types = {
    "output": str,
    "program": str,
    "stop": (dict, type(None)),
    "ended": bool,
    "exit_code": _NUMBER,
    "interrupted": bool,
    "breakpoints": list,
    "sources": dict,
}


_TRACE_ROW = (int, int, str, str, int, str, int, str, int, list, str)


def exec_result(reply: Reply) -> ExecResult:
    """The result of a command. This and the others raise ``ProtocolError`` if the reply is none."""
    return _made(ExecResult, reply, _EXEC)


def test_run(reply: Reply) -> TestRun:
    """The result of a test run."""
    run = _made(TestRun, {**reply, "collected": _texts(reply, "collected")}, {**_TESTS, "collected": tuple})
    _words(reply, "outcomes")
    _words(reply, "messages")
    return run


def debug_reply(reply: Reply) -> DebugReply:
    """The debugger's answer."""
    stop = reply.get("stop")
    values = {**reply, "breakpoints": tuple(reply.get("breakpoints", ()))}
    values["stop"] = _made(Stop, stop, _STOP) if isinstance(stop, dict) else stop
    answer = _made(DebugReply, values, {**_DEBUG, "breakpoints": tuple, "stop": (Stop, type(None))})
    if not all(isinstance(point, dict) for point in answer.breakpoints):
        raise ProtocolError("one of 'breakpoints' is no object")
    _words(reply, "sources")
    return answer


def trace_run(reply: Reply) -> TraceRun:
    """What a trace recorded."""
    values = dict(reply)
    rows, hits = _typed(values, "rows", list), _typed(values, "hits", list)
    problems = _texts(values, "problems")
    del values["rows"], values["hits"], values["problems"]
    if not all(type(number) is int for number in hits):
        raise ProtocolError("one of 'hits' is no number")
    run = test_run({**values, "warm": True})
    return TraceRun(run=run, rows=_trace_rows(rows), hits=tuple(hits), problems=problems)


def _trace_rows(rows: list[Any]) -> tuple[TraceRow, ...]:
    """Rows, with their processes numbered in the order in which they appear after the first."""
    processes: dict[int, int] = {}
    found = []
    for row in rows:
        if not isinstance(row, list) or tuple(map(type, row)) != _TRACE_ROW:
            raise ProtocolError("one of 'rows' is no row of a trace")
        entry, hit, kind, file, line, function, depth, thread, process, values, caller = row
        pairs = tuple(tuple(pair) for pair in values if isinstance(pair, list))
        if not all(len(pair) == 2 and all(isinstance(text, str) for text in pair) for pair in pairs):
            raise ProtocolError("a row of a trace holds what is no name with its value")
        number = processes.setdefault(process, len(processes) + 1) if process else 0
        found.append(TraceRow(entry, hit, kind, file, line, function, depth, pairs, caller, thread, number))
    return tuple(found)


def entries(reply: Reply) -> list[tuple[str, str, int]]:
    """The entries of a folder."""
    found = []
    for entry in _typed(reply, "entries", list):
        name, kind, size = entry if isinstance(entry, list) and len(entry) == 3 else (None, None, None)
        if not (isinstance(name, str) and isinstance(kind, str) and isinstance(size, int)):
            raise ProtocolError("one of 'entries' is not a name, a kind and a size")
        found.append((name, kind, size))
    return found


def matches(reply: Reply) -> Reply:
    """What a search found."""
    for match in _typed(reply, "matches", list):
        path, line, text = match if isinstance(match, list) and len(match) == 3 else (None, None, None)
        if not (isinstance(path, str) and isinstance(line, int) and isinstance(text, str)):
            raise ProtocolError("one of 'matches' is not a path, a line and a text")
    _typed(reply, "truncated", bool)
    _texts(reply, "skipped")
    return reply


def shell_state(reply: Reply) -> str:
    """Commands that rebuild a shell."""
    state: str = _typed(reply, "state", str)
    return state


def error(reply: Reply) -> Exception:
    """The exception that the runtime reports, if it is a harmless builtin one; else a ``ValueError``."""
    said = _typed(reply, "error", list)
    kind, text, number, path = said if len(said) == 4 else (None, None, None, None)
    if not (isinstance(kind, str) and isinstance(text, str) and isinstance(number, _NUMBER)):
        raise ProtocolError("'error' is not a type, a message, a number and a path")
    found = getattr(builtins, kind, None)
    if isinstance(found, type) and issubclass(found, OSError):
        return found(number or 0, text, path) if isinstance(path, str) else found(number or 0, text)
    return ValueError(text if kind == "ValueError" else f"{kind}: {text}")


def _made(kind: type[T], values: Reply, types: Types) -> T:
    for name in values:
        if name not in types:
            raise ProtocolError(f"there is an unknown field {name!r}")
        _typed(values, name, types[name])
    try:
        return kind(**values)
    except TypeError as missing:
        raise ProtocolError(str(missing)) from None


def _typed(reply: Reply, name: str, kind: type | tuple[type, ...]) -> Any:
    value = reply.get(name)
    if not isinstance(value, kind):
        raise ProtocolError(f"{name!r} is a {type(value).__name__}")
    return value


def _texts(reply: Reply, name: str) -> tuple[str, ...]:
    values = _typed(reply, name, list)
    if not all(isinstance(value, str) for value in values):
        raise ProtocolError(f"one of {name!r} is no text")
    return tuple(values)


def _words(reply: Reply, name: str) -> None:
    """Check that a field, if it is there, maps text to text (keys of JSON objects are text anyway)."""
    if not all(isinstance(value, str) for value in reply.get(name, {}).values()):
        raise ProtocolError(f"one of {name!r} is no text")
