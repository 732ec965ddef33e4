"""Tool calls for models that have no function calling: each reply ends with one call, written in its text."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from debug_gym.agents.models.base import Message, Model, Reply, Request, Schema
from debug_gym.agents.models.notation import JSON, XML, Notation
from debug_gym.episode import RequestedCall
from debug_gym.errors import ModelError
from debug_gym.toolcalls.cursor import UnreadableCallError

NOTATIONS: dict[str, Notation] = {"json": JSON, "xml": XML}
THOUGHT_END = "</think>"
"""A server that does not know a model's reasoning leaves it in the text. A call in there is not meant."""
PROTOCOL = """\
You have these tools, each described by a JSON schema:

{schemas}

To call one, end your reply with exactly one block like this, and write nothing after it:

{example}

{rules} The tool's answer comes in the next message. Never write an answer yourself."""


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
        return self._read(self._model.reply(self._translated(messages, tools), (), episode=episode), tools)

    def replies(self, requests: Sequence[Request]) -> list[Reply | ModelError]:
        """Ask the other model for all at once; see ``Model.replies``."""
        told = [Request(self._translated(it.messages, it.tools), (), it.episode) for it in requests]
        return [
            self._read(answer, request.tools) if isinstance(answer, Reply) else answer
            for request, answer in zip(requests, self._model.replies(told), strict=True)
        ]

    def check(self) -> None:
        """Check the other model."""
        self._model.check()

    def close(self) -> None:
        """Close the other model."""
        self._model.close()

    def _read(self, reply: Reply, tools: Sequence[Schema]) -> Reply:
        """The reply with the call that stands in its text."""
        if not tools:
            return reply
        thought, end, said = reply.text.rpartition(THOUGHT_END)
        if end:
            reply = replace(reply, text=said.strip(), reasoning=reply.reasoning or thought.strip())
        try:
            found = self._notation.read(reply.text, tools, whole=reply.finish_reason != "length")
        except UnreadableCallError as error:
            return replace(reply, note=f"{error} A call looks like this:\n\n{self._notation.example}\n\n")
        call = RequestedCall(found.name, json.dumps(found.arguments))
        return replace(reply, text=found.before, tool_calls=(call,), note=found.note)

    def _translated(self, messages: Sequence[Message], tools: Sequence[Schema]) -> list[Message]:
        """The conversation without tool calls and results: each is text of the assistant or the user."""
        names: dict[str, str] = {}
        texts: list[Message] = []
        for message in messages:
            told = {"content": "", **message}
            for call in told.pop("tool_calls", ()):
                function = call["function"]
                names[call["id"]] = function["name"]
                written = self._notation.write(function["name"], json.loads(function["arguments"]))
                told["content"] = f"{told['content'] or ''}\n\n{written}".strip()
            if told["role"] == "tool":
                answer = f"The answer of {names[told['tool_call_id']]}:\n\n{told['content']}"
                told = {"role": "user", "content": answer}
            texts.append(told)
        if not tools:
            return texts
        system = [texts.pop(0)["content"]] if texts and texts[0]["role"] == "system" else []
        return [{"role": "system", "content": "\n\n".join([*system, self._protocol(tools)])}, *texts]

    def _protocol(self, tools: Sequence[Schema]) -> str:
        schemas = "\n".join(json.dumps(tool["function"], ensure_ascii=False) for tool in tools)
        return PROTOCOL.format(schemas=schemas, example=self._notation.example, rules=self._notation.rules)
