"""What a language model is to an agent: messages and tool schemas in, a reply out."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from debug_gym.episode import InvalidToolCallError, ToolCall
from debug_gym.errors import ModelError

Message = dict[str, Any]
"""One message in the form of OpenAI's chat completions: ``role``, ``content``, ``tool_calls``, ..."""
Schema = dict[str, Any]
"""One tool in the form of OpenAI's function calling."""


class ContextOverflowError(ModelError):
    """The conversation is longer than the model can read."""


@dataclass(frozen=True)
class Usage:
    """What model calls cost. Sums of usages are usages."""

    input_tokens: int = 0
    """Tokens that the model read, cached ones included."""
    output_tokens: int = 0
    """Tokens that the model wrote, its hidden reasoning included."""
    cached_tokens: int = 0
    """Those of the input tokens that the server had in its prompt cache."""
    dollars: float | None = None
    """None where the price is not known."""
    seconds: float = 0.0
    """Wall-clock time, retries and waits included."""
    estimates: int = 0
    """Replies whose tokens the server did not count: those figures are our own."""

    @property
    def tokens(self) -> int:
        """Input and output tokens together."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: "Usage") -> "Usage":
        known = [dollars for dollars in (self.dollars, other.dollars) if dollars is not None]
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            dollars=sum(known) if known else None,
            seconds=self.seconds + other.seconds,
            estimates=self.estimates + other.estimates,
        )

    def as_dict(self) -> dict[str, float]:
        """The figures for a step's ``usage``: ``dollars`` only where known, ``estimates`` only where made."""
        figures: dict[str, float] = {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cached_tokens": self.cached_tokens,
            "seconds": self.seconds,
        }
        if self.dollars is not None:
            figures["dollars"] = self.dollars
        if self.estimates:
            figures["estimates"] = self.estimates
        return figures


@dataclass(frozen=True)
class RequestedCall:
    """A tool call as the model wrote it: its arguments are text that may or may not be JSON."""

    name: str
    arguments: str
    id: str = ""
    """Empty where the server gave none."""

    def parse(self) -> ToolCall:
        """The call, ready to be played.

        Raises:
            InvalidToolCallError: the arguments are not a JSON object of text that can be stored; the message
                says what is wrong.
        """
        call = ToolCall.parse({"name": self.name, "arguments": self.arguments, "id": self.id})
        try:
            json.dumps(json.loads(self.arguments or "{}"), ensure_ascii=False).encode()
        except UnicodeEncodeError:
            message = f"the arguments of {self.name} hold half of a surrogate pair (\\ud800 to \\udfff)"
            raise InvalidToolCallError(message) from None
        return call


def well_formed(text: str) -> str:
    """A text that can be stored: halves of surrogate pairs, which JSON can hold, are joined or replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@dataclass(frozen=True)
class Reply:
    """One answer of a model."""

    text: str = ""
    tool_calls: tuple[RequestedCall, ...] = ()
    usage: Usage = Usage()
    finish_reason: str = ""
    """``stop``, ``tool_calls``, ``length`` (cut off at the token limit), or the server's own word."""
    reasoning: str = ""
    """The model's reasoning, where the server shows it."""
    carry: Message = field(default_factory=dict)
    """Fields that the assistant's message has to carry in the conversation if the model is to see its own
    reasoning again: the model knows their names, the agent only copies them."""
    note: str = ""
    """What the model must know about how its reply was read, e.g. what was mended; the agent tells it."""


class Model(Protocol):
    """A language model.

    A class that is registered in the entry-point group ``debug_gym.models`` is made by
    ``cls(name, **options)`` and has a ``Settings`` attribute: the pydantic model of its options.
    """

    name: str

    def reply(self, messages: Sequence[Message], tools: Sequence[Schema], *, episode: str = "") -> Reply:
        """The model's answer to a conversation.

        Args:
            messages: the conversation so far.
            tools: what the model may call.
            episode: which episode asks, e.g. its task and seed. It never changes what the model is asked:
                a recording keeps the attempts of a run apart by it.

        Raises:
            ContextOverflowError: the conversation is too long.
            ModelError: the model cannot be reached or refuses to answer; retrying did not help.
        """
        ...
