"""An engine and a chat template: conversations in, messages out. What ``LocalModel`` and the server share."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from debug_gym.errors import ConfigError
from debug_gym.lora.library import ExpertLibrary
from debug_gym.lora.routing import make_router
from debug_gym.lora.serve.chat import Chat, Message
from debug_gym.lora.serve.constraints import MOST, THOUGHT
from debug_gym.lora.serve.engine import Engine, EngineSettings
from debug_gym.lora.serve.request import Generated, Listener, Request
from debug_gym.lora.serve.sampling import Sampling
from debug_gym.lora.serve.served import BASE, ServedModels
from debug_gym.toolcalls import FoundCalls
from debug_gym.toolcalls.cursor import Schema

DTYPES = ("auto", "float32", "bfloat16", "float16")


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
    settings: EngineSettings | None = None,
) -> Assistant:
    """Load a model and the experts of a library, and begin to serve them.

    Args:
        base: a folder as ``save_pretrained`` writes it, or a name on the Hugging Face Hub.
        library: a folder of experts, or ``hf://owner/name``.
        routers: names of routers (``debug_gym.lora.routing.make_router``).
        device: as torch calls it; None: a GPU where there is one.
        dtype: one of ``DTYPES``; ``auto``: the one in which the model was saved, on a CPU float32.
        settings: the engine's.

    Raises:
        ConfigError: the model cannot be loaded or served.
        LibraryError: the library cannot be opened or belongs to another model.
        UnknownNameError: no such router.
    """
    experts = ExpertLibrary.open(str(library)) if library is not None else None
    if routers and experts is None:
        raise ConfigError(f"the router {routers[0]} needs a library of experts: name one")
    made = [] if experts is None else [make_router(name, experts) for name in routers if name not in experts]
    try:
        where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError as error:
        raise ConfigError(f"torch knows no device {device!r}") from error
    if dtype not in DTYPES:
        raise ConfigError(f"dtype is {dtype!r}, but must be one of {', '.join(DTYPES)}")
    kind = "float32" if dtype == "auto" and where.type == "cpu" else dtype
    try:
        tokenizer = AutoTokenizer.from_pretrained(base)
        with _quiet():
            model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=kind, attn_implementation="sdpa")
    except (OSError, ValueError, KeyError, ImportError) as error:
        why = str(error).strip().splitlines()[0]
        raise ConfigError(f"the model {base} cannot be loaded: {why}") from error
    try:
        model = model.to(where).eval().requires_grad_(False)
    except RuntimeError as error:
        raise ConfigError(f"the model {base} cannot be moved to {where}: {error}") from error
    served = ServedModels(model, experts, made)
    return Assistant(Engine(served, tokenizer, settings))


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bar of transformers among the lines of a run."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
