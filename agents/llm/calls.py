"""From a model's reply to tool calls that can be played, or to what the model is told instead."""

import itertools
import json
import re
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from debug_gym.agents.models import Message, Reply, RequestedCall
from debug_gym.episode import InvalidToolCallError, ToolCall, bounded
from debug_gym.toolcalls import loose_json
from debug_gym.toolcalls.loose_json import BrokenJSONError

NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")
"""Servers refuse a history in which a tool has such a character in its name, even if their model wrote it."""
QUOTED = 500
"""Characters of a malformed call that are quoted back to the model."""


@dataclass
class Turn:
    """What a reply comes down to."""

    calls: list[ToolCall] = field(default_factory=list)
    """All of the reply, each with an id of its own. One that cannot be read has no arguments: servers refuse
    a history that holds malformed ones."""
    queue: deque[ToolCall] = field(default_factory=deque)
    """Those to play."""
    refusals: dict[str, str] = field(default_factory=dict)
    """Why a call is not played, by its id."""
    notes: dict[str, str] = field(default_factory=dict)
    """What the model must know about how a call was read, by its id."""
    complaint: str = ""
    """What the model is told where there are no calls."""

    @property
    def remark(self) -> str:
        """All that the model is told about how its reply was read."""
        return "\n".join([*filter(None, [self.complaint]), *self.refusals.values(), *self.notes.values()])


class CallReader:
    """Reads the replies of one episode."""

    def __init__(self, *, parallel: bool) -> None:
        """``parallel``: play all calls of a reply, not only the first."""
        self._parallel = parallel
        self._ids: set[str] = set()

    def read(self, reply: Reply, names: Sequence[str]) -> Turn:
        """Read a reply to an offer of tools. If one of its calls is wrong, none is played."""
        turn = Turn()
        cut = " Your reply was cut off at its token limit." if reply.finish_reason == "length" else ""
        for raw in reply.tool_calls:
            raw = replace(raw, id=self._key(raw.id), name=raw.name[:QUOTED])
            call, why = self._read(raw, turn, mend=not cut)
            turn.calls.append(call)
            if raw.name not in names:
                why = f"there is no tool named {raw.name!r}; the tools are: {', '.join(names)}"
            if why:
                turn.refusals[call.id] = f"{why}.{cut}"
        if not turn.calls:
            problem = reply.note or "There was no tool call."
            turn.complaint = f"{problem}{cut} Answer with exactly one tool call."
        elif turn.refusals:
            for call in turn.calls:
                turn.refusals.setdefault(call.id, f"another call of the same reply was wrong.{cut}")
        else:
            played = turn.calls if self._parallel else turn.calls[:1]
            turn.queue.extend(played)
            turn.refusals |= {call.id: "only one call in a reply." for call in turn.calls[len(played) :]}
            if reply.note:
                turn.notes[turn.calls[0].id] = f"({reply.note})"
        return turn

    def _read(self, raw: RequestedCall, turn: Turn, *, mend: bool) -> tuple[ToolCall, str]:
        """A call, and what is wrong with it. ``mend``: slightly broken arguments are mended."""
        try:
            return raw.parse(), ""
        except (InvalidToolCallError, RecursionError) as error:
            why = f"{error}; you wrote {raw.arguments[:QUOTED]!r}"
        if mend:
            with suppress(BrokenJSONError, InvalidToolCallError, RecursionError):
                value, mended = loose_json.loads(raw.arguments)
                call = replace(raw, arguments=json.dumps(value)).parse()
                turn.notes[raw.id] = f"({loose_json.report(mended)})"
                return call, ""
        return ToolCall(name=raw.name, id=raw.id), why

    def _key(self, given: str) -> str:
        """The model's id of a call; a new one where it is missing or was used before."""
        key, count = given, itertools.count(len(self._ids))
        while not key or key in self._ids:
            key = f"call{next(count):05}"  # nine letters and digits: Mistral's servers take nothing else
        self._ids.add(key)
        return key


def assistant_message(reply: Reply, calls: Iterable[ToolCall], *, keep_reasoning: bool) -> Message:
    """What the model said, as it goes back to it."""
    message: Message = {"role": "assistant", "content": bounded(reply.text) or None}
    if keep_reasoning:
        message |= {
            key: bounded(part) if isinstance(part, str) else part for key, part in reply.carry.items()
        }
    if wired := [_wire(call) for call in calls]:
        message["tool_calls"] = wired
    elif not reply.text:
        message["content"] = "(no text)"
    return message


def _wire(call: ToolCall) -> dict[str, Any]:
    name = NOT_IN_NAMES.sub("_", call.name)[:64] or "unknown"
    function = {"name": name, "arguments": json.dumps(call.for_record().arguments)}
    return {"id": call.id, "type": "function", "function": function}
