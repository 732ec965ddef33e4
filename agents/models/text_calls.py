"""Tool calls that a server leaves in the text of a reply, put where they belong."""

from collections.abc import Sequence
from dataclasses import replace

from debug_gym.agents.models.base import Message, Reply, Schema
from debug_gym.episode import RequestedCall
from debug_gym.toolcalls import find_calls

OTHERS = ("user", "tool")
"""Who writes what the model only repeats."""


def with_text_calls(reply: Reply, messages: Sequence[Message], tools: Sequence[Schema]) -> tuple[Reply, str]:
    """The reply with the calls that stand in its text, and the name of their format: empty if there are none.

    A reply that has calls already stays as it is. Where the text looks like a call that cannot be played, the
    reply's note says why. A call in the reasoning counts where nothing else was said.
    """
    if reply.tool_calls or not tools:
        return reply, ""
    others = [text for message in messages if message["role"] in OTHERS and (text := _text(message))]
    cut = reply.finish_reason == "length"
    found = find_calls(reply.text, tools, cut=cut, others=others)
    if not found.calls and not reply.text.strip() and reply.reasoning:
        thought = find_calls(reply.reasoning, tools, cut=cut, others=others)
        if thought.calls:
            found, reply = thought, replace(reply, reasoning=thought.text, carry={})
    if not found.calls:
        return replace(reply, note=reply.note or found.note), ""
    calls = tuple(RequestedCall(call.name, call.as_json()) for call in found.calls)
    reply = replace(
        reply,
        text=found.text,
        reasoning="\n\n".join(filter(None, (reply.reasoning, found.reasoning))),
        tool_calls=calls,
        note=" ".join(filter(None, (reply.note, found.note))),
    )
    return reply, found.format


def _text(message: Message) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content or ""
