"""A model that runs here: transformers weights, alone or with a library of LoRA experts."""

import hashlib
import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from debug_gym.agents.models.base import (
    ContextOverflowError,
    Message,
    Model,
    Reply,
    Request,
    Schema,
    Usage,
    well_formed,
)
from debug_gym.agents.models.notices import Notices
from debug_gym.agents.settings import configure
from debug_gym.episode import RequestedCall, TokenData
from debug_gym.errors import ConfigError, ModelError
from debug_gym.task import Frozen

if TYPE_CHECKING:
    from debug_gym.lora.serve.assistant import Assistant, Question
    from debug_gym.lora.serve.request import Generated
    from debug_gym.lora.serve.request import Request as Asked


def _texts(value: Any) -> Any:
    """One text, or a list of them as a command line gives it: JSON."""
    if isinstance(value, str):
        return json.loads(value) if value.startswith("[") else [value]
    return value


class LocalSettings(Frozen):
    """The options of ``LocalModel``."""

    library: str | None = None
    """A folder of LoRA experts, or ``hf://owner/name``. None: the base model alone."""
    router: str | None = None
    """What decides which experts act: a router (``arrow``, ``likelihood``, ...), or an expert's name. None:
    the base model alone."""
    knowledge: str | None = None
    """A folder with a knowledge module (``debug-gym learn``), which acts beside what ``router`` chooses."""
    device: str | None = None
    """As torch calls it: ``cpu``, ``cuda``, ``cuda:1``. None: a GPU where there is one."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """``auto``: as the model was saved; on a CPU float32."""
    temperature: float = Field(default=1.0, ge=0)
    """0: always the most likely token."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    top_k: int = Field(default=0, ge=0)
    """0: all tokens."""
    max_tokens: int = Field(default=1024, gt=0)
    """Tokens that one reply may have."""
    stop: Annotated[tuple[str, ...], BeforeValidator(_texts)] = ()
    """Texts before which a reply ends: one, or a JSON list."""
    seed: int = 0
    """With the episode and the conversation it decides what is drawn."""
    tool_calls: Literal["auto", "required"] = "auto"
    """``required``: every reply ends with a tool call, which small models need."""
    max_calls: int = Field(default=1, gt=0)
    """Tool calls in one reply, as far as they are constrained."""
    constrained: bool = True
    """Tool calls follow the tools' JSON schemas by construction."""
    logprobs: Literal["completion"] | None = None
    """Keep the ids of prompt and reply, and the reply's log-probabilities, for reinforcement learning
    (``debug_gym.episode.TokenData``). None: do not."""
    max_batch: int = Field(default=16, gt=0)
    """Replies that are computed together: at least as many as there are workers."""
    max_length: int | None = Field(default=None, gt=0)
    """Tokens of conversation and reply together. None: what the model was made for."""


class LocalModel(Model):
    """A model that runs in this process.

    Replies of parallel episodes are computed in one batch, and a conversation that goes on is computed from
    where it went on.
    """

    Settings = LocalSettings

    def __init__(self, name: str, **options: Any) -> None:
        """Take a folder, or a name on the Hugging Face Hub, and the options of ``LocalSettings``.

        It is loaded when it is first asked, or by ``check``.

        Raises:
            ConfigError: an option is unknown or wrong.
        """
        self.name = name
        self.settings = configure(LocalSettings, options, "the local model")
        if self.settings.router and self.settings.library is None:
            raise ConfigError(f"the router {self.settings.router} needs a library of experts: -o library=DIR")
        self._notices = Notices()
        self._lock = threading.Lock()
        self._loaded: Assistant | None = None
        self._closed = False

    def check(self) -> None:
        """Load the model.

        Raises:
            ConfigError: it cannot be loaded.
            LibraryError: the library or the module cannot be opened or belongs to another model.
            UnknownNameError: no such router or expert.
            MissingExtraError: torch, transformers or llguidance is not installed.
            ModelError: it is closed.
        """
        self._assistant()

    def reply(self, messages: Sequence[Message], tools: Sequence[Schema], *, episode: str = "") -> Reply:
        """Compute an answer; see ``Model.reply``."""
        answer = self.replies([Request(messages, tools, episode)])[0]
        if isinstance(answer, ModelError):
            raise answer
        return answer

    def replies(self, requests: Sequence[Request]) -> list[Reply | ModelError]:
        """Compute several answers in one batch; see ``Model.replies``."""
        began = time.monotonic()
        asked = [self._ask(request) for request in requests]
        return [self._answer(one, began) for one in asked]

    def close(self) -> None:
        """Give back the memory."""
        with self._lock:
            loaded, self._loaded, self._closed = self._loaded, None, True
        if loaded is not None:
            loaded.close()

    def _assistant(self) -> "Assistant":
        with self._lock:
            if self._closed:
                raise ModelError(f"the model {self.name} is closed: make another one")
            if self._loaded is None:
                self._loaded = _load(self.name, self.settings)
                if self.settings.constrained and self._loaded.chat.syntax is None:
                    self._notices.tell(
                        f"{self.name} writes tool calls in a way of its own: they are not constrained"
                    )
            return self._loaded

    def _ask(self, request: Request) -> "tuple[Question, Asked] | ModelError":
        from debug_gym.lora.serve.request import EngineError, PromptTooLongError

        question = self._question(request)
        try:
            return question, self._assistant().ask(question)
        except PromptTooLongError as error:
            return ContextOverflowError(str(error))
        except (EngineError, ConfigError) as error:
            return ModelError(f"{self.name}: {error}")

    def _answer(self, asked: "tuple[Question, Asked] | ModelError", began: float) -> Reply | ModelError:
        from debug_gym.lora.serve.request import EngineError, PromptTooLongError

        if isinstance(asked, ModelError):
            return asked
        question, request = asked
        try:
            generated = request.result.result()
        except PromptTooLongError as error:
            return ContextOverflowError(str(error))
        except (EngineError, ConfigError, CancelledError) as error:
            return ModelError(f"{self.name}: {error}")
        return self._read(question, request.prompt, generated, time.monotonic() - began)

    def _question(self, request: Request) -> "Question":
        from debug_gym.lora.serve.assistant import Question
        from debug_gym.lora.serve.sampling import Sampling
        from debug_gym.lora.serve.served import BASE

        settings = self.settings
        told = json.dumps([settings.seed, request.episode, list(request.messages)], sort_keys=True)
        seed = int.from_bytes(hashlib.sha256(told.encode()).digest()[:8])
        return Question(
            request.messages,
            request.tools,
            model=settings.router or BASE,
            sampling=Sampling(
                max_tokens=settings.max_tokens,
                temperature=settings.temperature,
                top_p=settings.top_p,
                top_k=settings.top_k,
                seed=seed,
                stop=settings.stop,
            ),
            calls=settings.tool_calls if request.tools else "auto",
            constrained=settings.constrained,
            most_calls=settings.max_calls,
        )

    def _read(
        self, question: "Question", prompt: Sequence[int], generated: "Generated", seconds: float
    ) -> Reply:
        found = self._assistant().read(question, generated)
        calls = tuple(RequestedCall(call.name, call.as_json()) for call in found.calls)
        reason = "tool_calls" if calls and generated.finish_reason == "stop" else generated.finish_reason
        return Reply(
            text=well_formed(found.text),
            tool_calls=calls,
            usage=Usage(
                generated.prompt_tokens,
                len(generated.tokens),
                generated.cached_tokens,
                dollars=0.0,
                seconds=seconds,
            ),
            finish_reason=reason,
            reasoning=well_formed(found.reasoning),
            note=found.note,
            tokens=self._tokens(prompt, generated),
        )

    def _tokens(self, prompt: Sequence[int], generated: "Generated") -> TokenData | None:
        if self.settings.logprobs is None:
            return None
        return TokenData(
            prompt_ids=tuple(prompt),
            completion_ids=tuple(token.id for token in generated.tokens),
            completion_logprobs=tuple(token.sampled for token in generated.tokens),
        )


def _load(name: str, settings: LocalSettings) -> "Assistant":
    from debug_gym.lora.serve.assistant import load
    from debug_gym.lora.serve.engine import EngineSettings

    base = str(Path(name).expanduser()) if Path(name).expanduser().exists() else name
    return load(
        base,
        settings.library,
        (settings.router,) if settings.router else (),
        device=settings.device,
        dtype=settings.dtype,
        knowledge=settings.knowledge,
        settings=EngineSettings(max_batch=settings.max_batch, max_length=settings.max_length),
    )
