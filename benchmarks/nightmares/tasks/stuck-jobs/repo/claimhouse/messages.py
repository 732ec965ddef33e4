"""The messages between workers and the broker: JSON outside, dataclasses inside."""

from __future__ import annotations

import json
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, ClassVar


class BadMessage(ValueError):
    """A request is not understood."""


def duration(default: float = MISSING) -> Any:  # type: ignore[assignment]
    """A field that is seconds in the program and whole milliseconds on the wire."""
    return field(default=default, metadata={"wire": "ms"})


@dataclass(frozen=True)
class Put:
    op: ClassVar[str] = "put"
    queue: str
    body: Any
    delay: float = duration(0.0)


@dataclass(frozen=True)
class Claim:
    op: ClassVar[str] = "claim"
    queue: str
    lease: float = duration(30.0)


@dataclass(frozen=True)
class Renew:
    op: ClassVar[str] = "renew"
    job: int
    token: str
    extend: float = 30.0


@dataclass(frozen=True)
class Release:
    op: ClassVar[str] = "release"
    job: int
    token: str
    delay: float = duration(0.0)


@dataclass(frozen=True)
class Finish:
    op: ClassVar[str] = "finish"
    job: int
    token: str


@dataclass(frozen=True)
class Status:
    op: ClassVar[str] = "status"
    job: int


@dataclass(frozen=True)
class PutReply:
    job: int


@dataclass(frozen=True)
class ClaimReply:
    job: int
    body: Any
    token: str
    attempt: int


@dataclass(frozen=True)
class NothingReply:
    retry_after: float = duration()
    job: None = None


@dataclass(frozen=True)
class RenewReply:
    remaining: float = duration()


@dataclass(frozen=True)
class StatusReply:
    state: str
    remaining: float = duration(0.0)


REQUESTS = {kind.op: kind for kind in (Put, Claim, Renew, Release, Finish, Status)}


def decode(text: str) -> Any:
    """Read a request.

    Raises:
        BadMessage: not JSON, an unknown operation, or missing or unknown fields.
    """
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise BadMessage(f"not JSON: {error}") from None
    if not isinstance(raw, dict) or raw.get("op") not in REQUESTS:
        raise BadMessage("a request is an object with a known 'op'")
    kind = REQUESTS[raw.pop("op")]
    known = {each.name: each for each in fields(kind)}
    unknown = sorted(set(raw) - set(known))
    if unknown:
        raise BadMessage(f"{kind.op}: unknown field {unknown[0]!r}")
    values = {name: _from_wire(known[name], value) for name, value in raw.items()}
    for each in known.values():
        if each.name not in values and each.default is MISSING:
            raise BadMessage(f"{kind.op}: field {each.name!r} is missing")
    return kind(**values)


def encode(reply: Any) -> str:
    """Write a reply; None is a bare ``ok``."""
    body = {each.name: _to_wire(each, getattr(reply, each.name)) for each in _fields(reply)}
    return json.dumps({"ok": True, **body})


def _fields(reply: Any) -> tuple[Field[Any], ...]:
    return fields(reply) if reply is not None else ()


def _from_wire(each: Field[Any], value: Any) -> Any:
    if each.metadata.get("wire") != "ms":
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise BadMessage(f"{each.name!r} must be a duration in milliseconds")
    return value / 1000


def _to_wire(each: Field[Any], value: Any) -> Any:
    return round(value * 1000) if each.metadata.get("wire") == "ms" else value
