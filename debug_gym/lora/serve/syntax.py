"""How a model writes tool calls, found out by letting its chat template render one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from debug_gym.toolcalls.formats import FORMATS

PROBE = "probe_tool"
KEYS, VALUES = ("probe_key", "probe_more"), ("probe_value", "probe_rest")
AS_JSON = re.compile(r'\{\s*"probe_key":\s*"probe_value",\s*"probe_more":\s*"probe_rest"\s*\}')
PROBE_TOOL: Mapping[str, Any] = {
    "type": "function",
    "function": {
        "name": PROBE,
        "description": "probe",
        "parameters": {
            "type": "object",
            "properties": {key: {"type": "string", "description": "probe"} for key in KEYS},
        },
    },
}
PROBED: tuple[Mapping[str, Any], ...] = (
    {"role": "user", "content": "probe"},
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {
                "id": "probe0000",
                "type": "function",
                "function": {"name": PROBE, "arguments": dict(zip(KEYS, VALUES, strict=True))},
            }
        ],
    },
    {"role": "tool", "tool_call_id": "probe0000", "name": PROBE, "content": "probe_result"},
)
"""A conversation with a call and its result."""


@dataclass(frozen=True)
class ArgumentSyntax:
    """How an argument is written between tags: ``before``, its name, ``between``, its value, ``after``."""

    before: str
    between: str
    after: str


@dataclass(frozen=True)
class CallSyntax:
    """How a call is written: ``trigger``, ``opening``, the arguments, ``closing``."""

    trigger: str
    """Begins each call, e.g. ``<tool_call>``."""
    opening: str
    """From there to the arguments, with ``{name}`` for the tool's name."""
    closing: str
    separator: str = "\n"
    """Between one call and the next."""
    marked: bool = True
    """The trigger stands in no ordinary text."""
    argument: ArgumentSyntax | None = None
    """None: the arguments are one JSON object."""


def common_start(one: str, other: str) -> str:
    """What two texts begin with."""
    count = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    return min(one, other, key=len) if count is None else one[:count]


def find_syntax(called: str) -> CallSyntax | None:
    """The syntax of a rendered turn that calls the probe; None where a grammar cannot follow it."""
    begins = [(match.start(), match, row) for row in FORMATS if (match := row.begin.search(called))]
    if not begins:
        return None
    start, begin, row = min(begins, key=lambda place: place[0])
    name = called.find(PROBE, start)
    arguments = AS_JSON.search(called, name)
    if name < 0:
        return None
    marker = begin[0].partition(PROBE)[0].rstrip() if row.marked else ""
    trigger = marker or called[start:name]
    if arguments:
        opening, closing, argument = called[start : arguments.start()], called[arguments.end() :], None
    elif tags := _tags(called, start):
        opening, closing, argument = tags
    else:
        return None
    opening = opening[len(trigger) :].replace(PROBE, "{name}")
    return CallSyntax(trigger, opening, closing.rstrip("\n"), marked=row.marked, argument=argument)


def _tags(called: str, start: int) -> tuple[str, str, ArgumentSyntax] | None:
    """Opening, closing and what is around each argument, from a call with two."""
    words = (PROBE, KEYS[0], VALUES[0], KEYS[1], VALUES[1])
    match = re.compile("(.*?)".join(map(re.escape, words)), re.DOTALL).search(called, start)
    if match is None:
        return None
    head, between, middle, again = match.groups()
    before = common_start(head[::-1], middle[::-1])[::-1]
    after, tail = middle[: len(middle) - len(before)], called[match.end() :]
    if between != again or not after or not before or not tail.startswith(after):
        return None
    opening = called[start : match.start()] + PROBE + head[: len(head) - len(before)]
    return opening, tail[len(after) :], ArgumentSyntax(before, between, after)
