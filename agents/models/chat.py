"""Chat Completions: OpenAI's protocol that every server speaks, more or less."""

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from debug_gym.agents.models.base import Message, Reply, RequestedCall, Schema, well_formed
from debug_gym.agents.models.endpoint import Answer, CutShort
from debug_gym.agents.models.settings import OpenAISettings
from debug_gym.agents.models.tokens import TokenCounts

REASONING = ("reasoning_content", "reasoning")
"""The fields in which servers show a model's reasoning, and take it back."""


def _arguments(value: Any) -> Any:
    """Some servers send the arguments as an object, or null for none."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _content(value: Any) -> Any:
    """Some servers send the text in parts, or null for none."""
    if not isinstance(value, list):
        return "" if value is None else value
    return "".join(str(part.get("text") or "") for part in value if isinstance(part, dict))


Text = Annotated[str, BeforeValidator(_content)]


class Function(BaseModel):
    """Which function, with its arguments as JSON text; in a stream, some of that."""

    name: str | None = None
    arguments: Annotated[str, BeforeValidator(_arguments)] = ""


class FunctionCall(BaseModel):
    """One call of a function, or a part of one."""

    index: int | None = None
    id: str | None = None
    function: Function


class AssistantMessage(BaseModel):
    """What the model said, or a part of it."""

    content: Text = ""
    tool_calls: list[FunctionCall] | None = None
    reasoning_content: Text = ""
    reasoning: Text = ""

    def add(self, part: "AssistantMessage") -> None:
        """Append what a further event of a stream brings."""
        self.content += part.content
        self.reasoning_content += part.reasoning_content
        self.reasoning += part.reasoning
        calls = self.tool_calls = self.tool_calls or []
        for piece in part.tool_calls or ():
            known = [call for call in calls if call.index is not None and call.index == piece.index]
            # Some servers give every call the index 0: a new id is a new call.
            if not known or (piece.id and known[-1].id and piece.id != known[-1].id):
                calls.append(piece)
                continue
            call = known[-1]
            call.id = call.id or piece.id
            call.function.name = call.function.name or piece.function.name
            call.function.arguments += piece.function.arguments


class Choice(BaseModel):
    """One alternative of the answer; we ask for one."""

    message: AssistantMessage
    finish_reason: str | None = None


class Completion(BaseModel):
    """The body of an answer."""

    choices: list[Choice] = Field(min_length=1)
    usage: TokenCounts | None = None


class ChunkChoice(BaseModel):
    """What an event adds to the answer."""

    delta: AssistantMessage
    finish_reason: str | None = None


class Chunk(BaseModel):
    """One event of a stream; the last one may hold the usage alone."""

    choices: list[ChunkChoice] = Field(default_factory=list)
    usage: TokenCounts | None = None


class Chat:
    """Chat Completions."""

    path = "/chat/completions"
    what = "a chat completion"

    def __init__(self, settings: OpenAISettings, *, official: bool) -> None:
        self._settings, self._official = settings, official

    def request(self, model: str, messages: Sequence[Message], tools: Sequence[Schema]) -> dict[str, Any]:
        """The body of a request."""
        settings = self._settings
        body: dict[str, Any] = {"model": model, "messages": list(messages)}
        if tools:
            body["tools"] = list(tools)
        if settings.temperature is not None:
            body["temperature"] = settings.temperature
        if settings.max_tokens is not None:
            # OpenAI's newer models refuse the old name, many other servers do not know the new one.
            body["max_completion_tokens" if self._official else "max_tokens"] = settings.max_tokens
        if settings.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return body

    def read(self, answer: object) -> Answer:
        """Understand an answer; see ``Api.read``."""
        completion = Completion.model_validate(answer)
        choice = completion.choices[0]
        return _reply(choice.message, choice.finish_reason), completion.usage

    def join(self, events: Iterable[object]) -> Answer:
        """Put an answer together; see ``Api.join``."""
        message, finish_reason, counts = AssistantMessage(), None, None
        for event in events:
            chunk = Chunk.model_validate(event)
            counts = chunk.usage or counts
            for choice in chunk.choices[:1]:
                message.add(choice.delta)
                finish_reason = choice.finish_reason or finish_reason
        if finish_reason is None:
            raise CutShort
        return _reply(message, finish_reason), counts


def _reply(message: AssistantMessage, finish_reason: str | None) -> Reply:
    shown = {name: text for name in REASONING if (text := well_formed(getattr(message, name)))}
    # A server that fills both fields says the same in them; it goes back in the one that is kept.
    carry = dict([*shown.items()][:1])
    return Reply(
        text=well_formed(message.content),
        tool_calls=tuple(
            RequestedCall(call.function.name or "", call.function.arguments, call.id or "")
            for call in message.tool_calls or ()
        ),
        finish_reason=finish_reason or "",
        reasoning="".join(carry.values()),
        carry=carry,
    )
