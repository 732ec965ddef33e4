"""OpenAI's Responses API, stateless: the server stores nothing, every request holds the whole conversation.

A model's reasoning comes encrypted. It goes back with the turns that follow, in its place among the items of
its turn, so that the model need not think everything through again.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, Field

from debug_gym.agents.models.base import Message, Reply, Schema, well_formed
from debug_gym.agents.models.endpoint import Answer, CutShort
from debug_gym.agents.models.events import Events
from debug_gym.agents.models.failures import reported
from debug_gym.agents.models.settings import OpenAISettings
from debug_gym.agents.models.tokens import Counts
from debug_gym.episode import RequestedCall

ITEMS = "reasoning_items"
"""The field of an assistant's message that carries its turn's items as they came."""
LAST = ("response.completed", "response.incomplete", "response.failed")
"""Events that end a stream; they hold the whole response."""


class Part(BaseModel):
    """A piece of text, or of a refusal."""

    text: str = ""
    refusal: str = ""


class Item(BaseModel):
    """A message, a function call or reasoning: the fields of each that we read."""

    type: str
    content: list[Part] | None = None
    summary: list[Part] | None = None
    name: str = ""
    arguments: str = ""
    call_id: str = ""


class Details(BaseModel):
    """Why a response is incomplete, or what went wrong."""

    reason: str | None = None
    code: str | None = None
    message: str = ""


class Response(BaseModel):
    """The body of an answer."""

    object: Literal["response"]
    status: str | None = None
    output: list[dict[str, Any]] = Field(default_factory=list)
    incomplete_details: Details | None = None
    error: Details | None = None
    usage: Counts = None


class Event(BaseModel):
    """One event of a stream; all but the last only say what the last one says as a whole."""

    type: str
    response: dict[str, Any] | None = None
    code: str | None = None
    message: str | None = None


class Responses:
    """The Responses API."""

    path = "/responses"
    what = "a response"

    def __init__(self, settings: OpenAISettings, *, model: str, url: str) -> None:
        self._settings, self._model, self._url = settings, model, url

    def request(self, model: str, messages: Sequence[Message], tools: Sequence[Schema]) -> dict[str, Any]:
        """The body of a request."""
        settings = self._settings
        items = [item for message in messages for item in _items(message)]
        body: dict[str, Any] = {
            "model": model,
            "input": items,
            "store": False,
            "include": ["reasoning.encrypted_content"],
            "stream": settings.stream,  # some servers stream where they are not told
        }
        if tools:
            body["tools"] = [_tool(tool) for tool in tools]
        if settings.temperature is not None:
            body["temperature"] = settings.temperature
        if settings.max_tokens is not None:
            body["max_output_tokens"] = settings.max_tokens
        return body

    def read(self, answer: object) -> Answer:
        """Understand an answer; see ``Api.read``."""
        response = Response.model_validate(answer)
        if response.status == "failed":
            error = response.error or Details()
            raise reported(self._url, self._model, error.code, error.message or "it does not say why")
        items = [Item.model_validate(item) for item in response.output]
        calls = tuple(
            RequestedCall(item.name, item.arguments, item.call_id)
            for item in items
            if item.type == "function_call"
        )
        reply = Reply(
            text="".join(_text(item.content) for item in items if item.type == "message"),
            tool_calls=calls,
            finish_reason=_finish_reason(response, calls),
            reasoning="\n\n".join(
                text for item in items if item.type == "reasoning" and (text := _thought(item))
            ),
            carry=_carry(response.output),
        )
        return reply, response.usage

    def join(self, events: Events) -> Answer:
        """Put an answer together; see ``Api.join``."""
        for part in events:
            event = Event.model_validate(part)
            if event.type == "error":
                raise reported(self._url, self._model, event.code, event.message or "it does not say why")
            if event.type in LAST:
                return self.read(event.response)
        raise CutShort


def _carry(output: list[dict[str, Any]]) -> Message:
    reasons = any(item.get("encrypted_content") for item in output if item["type"] == "reasoning")
    return {ITEMS: output} if reasons else {}


def _items(message: Message) -> list[dict[str, Any]]:
    """A message of chat completions as items."""
    if message["role"] == "tool":
        call_id = message["tool_call_id"]
        return [{"type": "function_call_output", "call_id": call_id, "output": message["content"]}]
    if message["role"] != "assistant":
        return [{"role": message["role"], "content": message["content"]}]
    calls = [_call(call) for call in message.get("tool_calls") or ()]
    came = message.get(ITEMS, [])
    if [item["type"] for item in came].count("function_call") != len(calls):
        came = []
    if not came:
        said = message.get("content")
        return [*([{"role": "assistant", "content": said}] if said else []), *calls]
    # The calls as they stand in the conversation: their ids and arguments may have been set right.
    rest = iter(calls)
    return [{**item, **next(rest)} if item["type"] == "function_call" else item for item in came]


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call["id"], **call["function"]}


def _tool(schema: Schema) -> dict[str, Any]:
    # Not strict: that would make every argument a required one.
    return {"type": "function", "strict": False, **schema["function"]}


def _text(parts: list[Part] | None) -> str:
    return well_formed("".join(part.text or part.refusal for part in parts or ()))


def _thought(item: Item) -> str:
    return _text(item.content) or "\n\n".join(well_formed(part.text) for part in item.summary or ())


def _finish_reason(response: Response, calls: Sequence[RequestedCall]) -> str:
    """In the words of chat completions."""
    reason = response.incomplete_details.reason if response.incomplete_details else None
    if reason == "max_output_tokens":
        return "length"
    return reason or ("tool_calls" if calls else "stop")
