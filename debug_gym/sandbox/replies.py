"""What a runtime answers, checked: code under test can get at most of what its replies are made of."""

import builtins
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, NamedTuple, TypeVar, cast

from pydantic import ConfigDict, TypeAdapter, ValidationError

from debug_gym.errors import ProtocolError
from debug_gym.sandbox.results import DirEntry, TestRun, TraceRow, TraceRun
from debug_gym.sandbox.strict import FailFast, Flag, Number, Text, Texts

Reply = dict[str, Any]
T = TypeVar("T")

_EXACT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Listing:
    """The entries of a folder."""

    __pydantic_config__ = _EXACT

    entries: Annotated[list[DirEntry], FailFast()]
    more: Flag = False
    """There are more than were asked for."""


@dataclass(frozen=True)
class ShellState:
    """Commands that rebuild a shell."""

    __pydantic_config__ = _EXACT

    state: Text


@dataclass(frozen=True)
class Greeting:
    """What a runtime says of its interpreter when it has its configuration."""

    __pydantic_config__ = _EXACT

    python: Text
    prefix: Text


@dataclass(frozen=True)
class Harvested:
    """What goes with an archive of changed files: see ``harvest``."""

    __pydantic_config__ = _EXACT

    deleted: Texts
    empty: Texts
    skipped: Texts


class _Error(NamedTuple):
    kind: Text
    text: Text
    number: Number | None
    path: Text | None


class _Row(NamedTuple):
    entry: Number
    hit: Number
    kind: Text
    file: Text
    line: Number
    function: Text
    depth: Number
    thread: Text
    process: Number
    values: Annotated[tuple[tuple[Text, Text], ...], FailFast()]
    caller: Text


@dataclass(frozen=True)
class _Trace:
    __pydantic_config__ = _EXACT

    rows: Annotated[list[_Row], FailFast()]
    hits: Annotated[tuple[Number, ...], FailFast()]
    problems: Texts


def parse(kind: type[T], reply: Any) -> T:
    """A reply as one of the types of ``results`` or of this module.

    Raises:
        ProtocolError: it is none.
    """
    try:
        parsed: T = _adapter(cast(Any, kind)).validate_python(reply)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ProtocolError(f"{where}: {first['msg']}" if where else first["msg"]) from None
    return parsed


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Made when it is first needed: that takes a millisecond."""
    return TypeAdapter(kind)


def parse_trace(reply: Reply) -> TraceRun:
    """What a trace recorded; its processes numbered in the order in which they appear after the first."""
    rest = dict(reply)
    trace = parse(_Trace, {name: rest.pop(name, None) for name in ("rows", "hits", "problems")})
    processes: dict[int, int] = {}
    rows = []
    for row in trace.rows:
        fields = row._asdict()
        fields["process"] = processes.setdefault(row.process, len(processes) + 1) if row.process else 0
        rows.append(TraceRow(**fields))
    run = parse(TestRun, {**rest, "warm": True})
    return TraceRun(run=run, rows=tuple(rows), hits=trace.hits, problems=trace.problems)


def parse_error(reply: Reply) -> Exception:
    """The exception that the runtime reports, if it is a harmless builtin one; else a ``ValueError``."""
    said = parse(_Error, reply.get("error"))
    found = getattr(builtins, said.kind, None)
    if isinstance(found, type) and issubclass(found, OSError):
        return found(said.number or 0, said.text, *([] if said.path is None else [said.path]))
    return ValueError(said.text if said.kind == "ValueError" else f"{said.kind}: {said.text}")
