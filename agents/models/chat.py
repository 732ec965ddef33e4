"""Chat Completions: OpenAI's protocol that every server speaks, more or less."""

from collections.abc import Sequence
from typing import Any

from debug_gym.agents.models.base import Message, Reply, Schema, well_formed
from debug_gym.agents.models.endpoint import Answer, CutShort
from debug_gym.agents.models.events import Events
from debug_gym.agents.models.logprobs import Collector, request_fields
from debug_gym.agents.models.settings import OpenAISettings
from debug_gym.agents.models.wire import AssistantMessage, Chunk, Completion
from debug_gym.episode import RequestedCall, TokenData

REASONING = ("reasoning_content", "reasoning")
"""The fields in which servers show a model's reasoning, and take it back."""


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
        body |= request_fields(settings.logprobs, official=self._official)
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
        found = Collector()
        found.add(completion.prompt_token_ids, choice.logprobs, choice.token_ids)
        tokens = found.data(completion.prompt_logprobs)
        return _reply(choice.message, choice.finish_reason, tokens), completion.usage

    def join(self, events: Events) -> Answer:
        """Put an answer together; see ``Api.join``."""
        message, finish_reason, counts, found = AssistantMessage(), None, None, Collector()
        for event in events:
            chunk = Chunk.model_validate(event)
            counts = chunk.usage or counts
            found.add(chunk.prompt_token_ids)
            for choice in chunk.choices[:1]:
                if choice.whole:
                    message = AssistantMessage()
                message.add(choice.delta)
                found.add(None, choice.logprobs, choice.token_ids)
                finish_reason = choice.finish_reason or finish_reason
        if finish_reason is None and events.ended and message != AssistantMessage():
            finish_reason = "tool_calls" if message.calls else "stop"
        if finish_reason is None:
            raise CutShort
        return _reply(message, finish_reason, found.data()), counts


def _reply(message: AssistantMessage, finish_reason: str | None, tokens: TokenData | None) -> Reply:
    shown = {name: text for name in REASONING if (text := well_formed(getattr(message, name)))}
    # A server that fills both fields says the same in them; it goes back in the one that is kept.
    carry = dict([*shown.items()][:1])
    return Reply(
        text=well_formed(message.content or message.refusal),
        tool_calls=tuple(
            RequestedCall(call.function.name or "", call.function.arguments, call.id or "")
            for call in message.calls
        ),
        finish_reason=finish_reason or "",
        reasoning="".join(carry.values()),
        carry=carry,
        tokens=tokens,
    )
