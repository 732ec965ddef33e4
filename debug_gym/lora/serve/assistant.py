"""An engine and a chat template: conversations in, messages out. What ``LocalModel`` and the server share."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from debug_gym.errors import ConfigError
from debug_gym.lora.base import load_base
from debug_gym.lora.library import ExpertLibrary
from debug_gym.lora.merge import merge_into, open_module
from debug_gym.lora.routing import make_router
from debug_gym.lora.serve.chat import Chat, Message
from debug_gym.lora.serve.constraints import MOST, THOUGHT
from debug_gym.lora.serve.engine import Engine, EngineSettings
from debug_gym.lora.serve.request import Generated, Listener, Request
from debug_gym.lora.serve.sampling import Sampling
from debug_gym.lora.serve.served import BASE, ServedModels
from debug_gym.toolcalls import FoundCalls
from debug_gym.toolcalls.cursor import Schema


@dataclass(frozen=True)
class Question:
    """One conversation, and how its answer should be."""

    messages: Sequence[Message]
    tools: Sequence[Schema] = ()
    model: str = BASE
    """An expert, a router, or the base."""
    sampling: Sampling = field(default_factory=Sampling)
    calls: Literal["auto", "required", "none"] = "auto"
    """Whether tools may be called, must be, or must not be."""
    most_calls: int = MOST
    """Calls in one answer, as far as they are constrained."""
    constrained: bool = True
    """Calls follow the tools' schemas by construction, where the template writes JSON."""
    schema: dict[str, Any] | None = None
    """The whole answer is one JSON value by this schema."""

    @property
    def offered(self) -> Sequence[Schema]:
        """The tools that the model hears of."""
        return () if self.calls == "none" else self.tools


class Assistant:
    """Answers conversations, many at a time, as any of the models that it serves."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.chat = Chat(engine.tokenizer)

    def ask(self, question: Question, listener: Listener | None = None) -> Request:
        """Queue a question. Raises as ``Engine.submit`` and ``Chat.prompt`` do."""
        prompt = self.chat.prompt(question.messages, question.offered)
        sampling = question.sampling
        sampling = replace(sampling, stop_tokens=(*sampling.stop_tokens, *self.chat.ends))
        return self.engine.submit(
            prompt, sampling, model=question.model, grammar=self._grammar(question), listener=listener
        )

    def read(self, question: Question, answer: Generated) -> FoundCalls:
        """What an answer says and calls."""
        text = answer.text.strip()
        return self.chat.read(
            text,
            question.messages,
            question.offered,
            cut=answer.finish_reason == "length",
            demanded=question.constrained and question.calls == "required",
        )

    def close(self) -> None:
        """End the engine."""
        self.engine.close()

    def _grammar(self, question: Question) -> str | None:
        if question.schema is not None:
            return self.engine.grammars.for_json(question.schema)
        syntax = self.chat.syntax
        if not question.constrained or syntax is None or question.calls == "none" or not question.tools:
            return None
        return self.engine.grammars.for_calls(
            question.tools,
            syntax,
            question.calls,
            most=question.most_calls,
            thought=(question.sampling.max_tokens or 2 * THOUGHT) // 2,  # tokens must be left for the call
        )


def load(
    base: str,
    library: str | Path | None = None,
    routers: Sequence[str] = (),
    *,
    device: str | None = None,
    dtype: str = "auto",
    knowledge: str | Path | None = None,
    settings: EngineSettings | None = None,
) -> Assistant:
    """Load a model and the experts of a library, and begin to serve them.

    Args:
        base: a folder as ``save_pretrained`` writes it, or a name on the Hugging Face Hub.
        library: a folder of experts, or ``hf://owner/name``.
        routers: names of routers (``debug_gym.lora.routing.make_router``).
        device: as torch calls it; None: a GPU where there is one.
        dtype: one of ``debug_gym.lora.base.DTYPES``.
        knowledge: a folder with a knowledge module, which becomes part of the base: every expert and router
            acts beside it.
        settings: the engine's.

    Raises:
        ConfigError: the model cannot be loaded or served.
        LibraryError: the library or the module cannot be opened or belongs to another model.
        UnknownNameError: no such router.
    """
    experts = ExpertLibrary.open(str(library)) if library is not None else None
    if routers and experts is None:
        raise ConfigError(f"the router {routers[0]} needs a library of experts: name one")
    made = [] if experts is None else [make_router(name, experts) for name in routers if name not in experts]
    model, tokenizer = load_base(base, device=device, dtype=dtype)
    if knowledge is not None:
        merge_into(model, open_module(knowledge))
    served = ServedModels(model, experts, made)
    return Assistant(Engine(served, tokenizer, settings))
