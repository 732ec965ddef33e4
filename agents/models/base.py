"""What a language model is to an agent: messages and tool schemas in, a reply out."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

from pydantic import BaseModel

from debug_gym.episode import RequestedCall, TokenData
from debug_gym.errors import ModelError

Message = dict[str, Any]
"""One message in the form of OpenAI's chat completions: ``role``, ``content``, ``tool_calls``, ..."""
Schema = dict[str, Any]
"""One tool in the form of OpenAI's function calling."""
AT_ONCE = 32
"""Requests of one batch that are under way at a time, for a model that has no way of its own with batches."""


class ContextOverflowError(ModelError):
    """The conversation is longer than the model can read."""


class ToolsRefusedError(ModelError):
    """The server takes no tools for this model, or was not started with what they need."""


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
    tokens: TokenData | None = None
    """The reply's tokens, where they were asked for and the server gives them."""


@dataclass(frozen=True)
class Request:
    """One conversation that waits for the model's answer: the arguments of ``Model.reply``."""

    messages: Sequence[Message]
    tools: Sequence[Schema] = ()
    episode: str = ""


class Model(Protocol):
    """A language model. Several threads may ask it at a time.

    A class that is registered in the entry-point group ``debug_gym.models`` is made by
    ``cls(name, **options)`` and has a ``Settings`` attribute: the pydantic model of its options. It
    implements ``name`` and ``reply``; by subclassing this protocol it gets the rest::

        class Echo(Model):
            class Settings(BaseModel): ...

            def __init__(self, name: str) -> None:
                self.name = name

            def reply(self, messages, tools, *, episode=""):
                return Reply(text=messages[-1]["content"])

    Whoever makes a model closes it: a run makes one and gives it to all of its agents.
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

    def replies(self, requests: Sequence[Request]) -> list[Reply | ModelError]:
        """The answers to several conversations, in their order. An error stands in the place of its reply.

        A model that computes here answers them in one batch; by default each is asked for on a thread.
        """

        def answer(request: Request) -> Reply | ModelError:
            try:
                return self.reply(request.messages, request.tools, episode=request.episode)
            except ModelError as error:
                return error

        with ThreadPoolExecutor(min(AT_ONCE, len(requests)) or 1) as threads:
            return list(threads.map(answer, requests))

    def check(self) -> None:
        """See whether the model can be asked, at no cost: a run does so before it begins.

        Raises:
            ModelError: it cannot: a wrong key, a server that is not there.
        """
        return

    def close(self) -> None:
        """Give back connections, memory and what else it holds. It cannot be asked afterwards."""
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ModelFactory(Protocol):
    """What is registered in the entry-point group ``debug_gym.models``: usually a class."""

    Settings: type[BaseModel]
    """The options."""

    def __call__(self, name: str, **options: Any) -> Model:
        """Make a model.

        Raises:
            ConfigError: an option is unknown or wrong.
            ModelError: the model cannot be used, e.g. for want of a key.
        """
        ...
