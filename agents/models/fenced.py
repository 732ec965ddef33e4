"""Tool calls for models that have no function calling: each reply ends with one call, written in its text."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from debug_gym.agents.models.base import Message, Model, Reply, Request, Schema
from debug_gym.agents.models.text_calls import with_text_calls
from debug_gym.episode import RequestedCall
from debug_gym.errors import ModelError
from debug_gym.toolcalls.cursor import UnreadableCallError
from debug_gym.toolcalls.find import split_reasoning
from debug_gym.toolcalls.notation import JSON, XML, Notation
from debug_gym.toolcalls.plain import as_plain_text

NOTATIONS: dict[str, Notation] = {"json": JSON, "xml": XML}


class FencedModel(Model):
    """Another model that is told of the tools in the system message, and whose calls are read from its text.

    What was mended to read a call, and what was left out, is told to the model (``Reply.note``). A reply that
    was cut off at its token limit is never mended. Results of tools go back as user messages.
    """

    def __init__(self, model: Model, notation: Literal["json", "xml"]) -> None:
        self.name = model.name
        self._model, self._notation = model, NOTATIONS[notation]

    def reply(self, messages: Sequence[Message], tools: Sequence[Schema], *, episode: str = "") -> Reply:
        """Ask the other model; see ``Model.reply``."""
        told = as_plain_text(messages, tools, self._notation)
        return self._read(self._model.reply(told, (), episode=episode), messages, tools)

    def replies(self, requests: Sequence[Request]) -> list[Reply | ModelError]:
        """Ask the other model for all at once; see ``Model.replies``."""
        told = [
            Request(as_plain_text(asked.messages, asked.tools, self._notation), (), asked.episode)
            for asked in requests
        ]
        return [
            self._read(answer, request.messages, request.tools) if isinstance(answer, Reply) else answer
            for request, answer in zip(requests, self._model.replies(told), strict=True)
        ]

    def check(self) -> None:
        """Check the other model."""
        self._model.check()

    def close(self) -> None:
        """Close the other model."""
        self._model.close()

    def _read(self, reply: Reply, messages: Sequence[Message], tools: Sequence[Schema]) -> Reply:
        """The reply with the call that stands in its text, in our notation or the model's own."""
        if not tools:
            return reply
        reasoning, said = split_reasoning(reply.text)
        reply = replace(reply, text=said, reasoning=reply.reasoning or reasoning)
        try:
            found = self._notation.read(reply.text, tools, whole=reply.finish_reason != "length")
        except UnreadableCallError as error:
            own, form = with_text_calls(reply, messages, tools)
            if form:
                return own
            return replace(reply, note=f"{error} A call looks like this:\n\n{self._notation.example}\n\n")
        call = RequestedCall(found.name, json.dumps(found.arguments))
        return replace(reply, text=found.before, tool_calls=(call,), note=found.note)
