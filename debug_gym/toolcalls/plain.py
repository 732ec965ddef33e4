"""Conversations with tools for models that know of none: tools are described, calls and results are text."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from debug_gym.toolcalls import loose_json
from debug_gym.toolcalls.cursor import Schema
from debug_gym.toolcalls.notation import Writing

PROTOCOL = """\
You have these tools, each described by a JSON schema:

{schemas}

To call one, end your reply with exactly one block like this, and write nothing after it:

{example}

{rules} The tool's answer comes in the next message. Never write an answer yourself."""


def as_plain_text(
    messages: Sequence[Mapping[str, Any]], tools: Sequence[Schema], writing: Writing
) -> list[dict[str, Any]]:
    """The conversation without tool calls and results: each is text of the assistant or the user.

    The system message says which tools there are and how they are called; without tools it says nothing.
    """
    names: dict[str, str] = {}
    texts: list[dict[str, Any]] = []
    for message in messages:
        told = {"content": "", **message}
        for call in told.pop("tool_calls", None) or ():
            name = call["function"]["name"]
            names[call.get("id") or ""] = name
            written = writing.write(name, _arguments(call["function"].get("arguments")))
            told["content"] = f"{told['content'] or ''}\n\n{written}".strip()
        if told["role"] == "tool":
            name = names.get(told.get("tool_call_id") or "", "the tool")
            told = {"role": "user", "content": f"The answer of {name}:\n\n{told['content']}"}
        texts.append(told)
    if not tools:
        return texts
    system = [texts.pop(0)["content"]] if texts and texts[0]["role"] == "system" else []
    return [{"role": "system", "content": "\n\n".join([*system, _protocol(tools, writing)])}, *texts]


def _protocol(tools: Sequence[Schema], writing: Writing) -> str:
    schemas = "\n".join(json.dumps(tool["function"], ensure_ascii=False) for tool in tools)
    return PROTOCOL.format(schemas=schemas, example=writing.example, rules=writing.rules)


def _arguments(value: object) -> dict[str, Any]:
    """Arguments as they stand in a message: JSON text, or the object itself."""
    if isinstance(value, str):
        try:
            value = loose_json.loads(value or "{}")[0]
        except loose_json.BrokenJSONError:
            return {"arguments": value}
    return value if isinstance(value, dict) else {}
