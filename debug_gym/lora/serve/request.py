"""A prompt on its way through the engine, and the reply that it becomes."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from debug_gym.errors import DebugGymError
from debug_gym.lora.serve.constraints import Constraint
from debug_gym.lora.serve.sampling import Sampler, Sampling, Token
from debug_gym.lora.serve.served import BASE, Choice
from debug_gym.lora.serve.text import TextStream

Listener = Callable[[str, Token], None]
"""Called for each token by the engine's thread, with the text that became certain with it."""


class EngineError(DebugGymError, RuntimeError):
    """A request failed in the engine, or the engine is closed."""


class EngineBusyError(EngineError):
    """More requests are waiting than the engine was told to hold."""


class PromptTooLongError(EngineError, ValueError):
    """The prompt leaves no room for a reply."""


@dataclass(frozen=True)
class Generated:
    """A reply."""

    text: str
    tokens: tuple[Token, ...]
    """Everything that was written, with the token that ended it."""
    finish_reason: str
    """``stop``, ``length``, or ``cancelled``."""
    prompt_tokens: int
    cached_tokens: int
    """Those of the prompt's tokens that were not computed again."""


@dataclass(eq=False)
class Request:
    """One prompt and what has become of it."""

    prompt: Sequence[int]
    sampling: Sampling
    stream: TextStream
    limit: int
    """Tokens that the reply may have."""
    model: str = BASE
    constraint: Constraint | None = None
    listener: Listener | None = None
    result: "Future[Generated]" = field(default_factory=Future)
    cancelled: bool = False
    arrived: float = field(default_factory=time.monotonic)
    choice: Choice = field(default_factory=Choice)
    done: int = 0
    """Tokens of prompt and reply whose keys and values are in the cache."""
    cached: int = 0
    tokens: list[Token] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sampler = Sampler(self.sampling)
        self.result.set_running_or_notify_cancel()  # only the engine ends it

    @property
    def columns(self) -> int:
        """Tokens of prompt and reply at most."""
        return len(self.prompt) + self.limit

    def cancel(self) -> None:
        """Nobody wants the reply any more: it ends after the step under way."""
        self.cancelled = True

    def take(self, token: Token, ends: Sequence[int]) -> str:
        """Add a token to the reply; why the reply is at its end, or nothing."""
        self.tokens.append(token)
        if token.id in ends or token.id in self.sampling.stop_tokens:
            return "stop"
        if self.constraint:
            self.constraint.accept(token.id)
        text = self.stream.add(token.id)
        self._tell(text, token)
        if self.stream.stopped or (self.constraint and self.constraint.finished):
            return "stop"
        return "length" if len(self.tokens) >= self.limit else ""

    def _tell(self, text: str, token: Token) -> None:
        try:
            if self.listener:
                self.listener(text, token)
        except Exception:  # whoever listened is gone; the others of the batch go on
            self.cancel()

    def finish(self, reason: str) -> None:
        """The reply is complete."""
        self.stream.end()
        self.result.set_result(
            Generated(self.stream.text, tuple(self.tokens), reason, len(self.prompt), self.cached)
        )

    def fail(self, error: Exception) -> None:
        """There will be no reply."""
        known = error if isinstance(error, DebugGymError) else EngineError(f"generation failed: {error!r}")
        self.result.set_exception(known)
