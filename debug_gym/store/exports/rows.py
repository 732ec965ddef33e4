"""Conversations as rows of a data set: whole, or turn by turn for trainers that mask by prompt."""

import json
from collections.abc import Iterator
from typing import Any

from debug_gym.store.exports.conversations import Conversation


def as_messages(conversation: Conversation) -> dict[str, Any]:
    """The whole conversation with its tools, in the form of OpenAI's API, and where it comes from."""
    return {
        "messages": conversation.messages,
        "tools": conversation.tools,
        **conversation.model_dump(include={"benchmark", "task", "attempt", "agent", "run", "resolved"}),
    }


def as_trl(conversation: Conversation) -> Iterator[dict[str, Any]]:
    """A row for each turn of the agent, ``prompt`` and ``completion``: TRL's ``SFTTrainer`` learns the
    completions alone, by any chat template. ``tools`` is JSON, since schemas have no columns in common."""
    messages = [with_objects(message) for message in conversation.messages]
    tools = json.dumps(conversation.tools, ensure_ascii=False)
    for at, message in enumerate(messages):
        if message["role"] == "assistant":
            yield {"prompt": messages[:at], "completion": [message], "tools": tools}


def with_objects(message: dict[str, Any]) -> dict[str, Any]:
    """Arguments as objects, which is what chat templates take, and texts that are there."""
    told = {**message, "content": message["content"] or ""}
    if calls := message.get("tool_calls"):
        told["tool_calls"] = [
            {**call, "function": {**call["function"], "arguments": json.loads(call["function"]["arguments"])}}
            for call in calls
        ]
    return told
