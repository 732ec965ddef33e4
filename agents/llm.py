"""The agent that a language model drives: ask, play the tool calls, answer each by its id."""

import itertools
import json
import re
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import jinja2
from pydantic import Field

from debug_gym import plugins
from debug_gym.agents.base import Agent, Briefing, Decision
from debug_gym.agents.history import History
from debug_gym.agents.models import ContextOverflowError, Message, Model, Reply, Schema, Usage
from debug_gym.agents.settings import check_names, configure
from debug_gym.episode import InvalidToolCallError, Observation, ToolCall
from debug_gym.errors import ConfigError
from debug_gym.task import Frozen

PROMPTS = Path(__file__).parent / "prompts"
DEBUGGER = "pdb"
EDITORS = ("rewrite", "replace")
NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")
"""Servers refuse a history in which a tool has such a character in its name, even if their model wrote it."""
QUOTED = 500
"""Characters of a malformed call that are quoted back to the model."""


class LLMSettings(Frozen):
    """The options of ``LLMAgent``, apart from those of its model."""

    system_template: Path = PROMPTS / "system.j2"
    """A Jinja file for the system message. Templates see ``task``, ``tools`` (the names on offer) and
    ``observation`` (the first one)."""
    instance_template: Path = PROMPTS / "instance.j2"
    """A Jinja file for the first user message."""
    history: Literal["full", "window"] = "full"
    """``full`` sends everything each time; ``window`` the first messages and the last ``window`` turns, and
    halves the window when the model's context overflows."""
    window: int = Field(default=20, ge=1)
    """Turns that ``window`` keeps: a turn is one reply of the model with all answers to it."""
    max_malformed: int = Field(default=3, ge=1)
    """Give up after this many replies in a row that hold no tool call that can be played."""
    token_limit: int | None = Field(default=None, gt=0)
    """Give up once an episode has used this many tokens, input and output together. None: no limit."""
    cost_limit: float | None = Field(default=None, gt=0)
    """Give up once an episode has cost this many dollars; needs a model with prices. None: no limit."""
    debugger_after: int = Field(default=0, ge=0)
    """Offer ``pdb`` only after this many successful ``rewrite`` or ``replace`` calls: with 5 this is the
    agent *debug(5)* of arXiv 2503.21557, with 0 its *debug*; leave the tool out for its *rewrite*."""


class LLMAgent(Agent):
    """A language model with function calling.

    ``model`` is a ``Model``, or a name for the model class that ``provider`` names. Options are keywords, and
    their values may be strings: those of ``LLMSettings`` go to the agent, all others to the model class::

        LLMAgent(model="gpt-x", temperature="0.2", history="window")
        LLMAgent(model="qwen", base_url="http://localhost:8000/v1", token_limit=200_000)

    Every agent is made like this from a command line or a file: ``plugins.load("agents", name)(**options)``.

    ``stop_reason`` says why the agent gave up (empty while it has not); ``usage`` is what the episode cost.
    A reply may hold several calls; they are played in order. If one of them cannot be read, none is played
    and the model is told under each call's id.
    """

    name = "llm"

    def __init__(self, model: Model | str = "", *, provider: str = "openai", **options: Any) -> None:
        """Make the model if it is given by name.

        Raises:
            ConfigError: no model, an unknown option, or a value that does not fit.
            UnknownNameError: no such provider.
        """
        if model == "":
            raise ConfigError("the llm agent needs a model: give model, and base_url for your own server")
        own = {name: value for name, value in options.items() if name in LLMSettings.model_fields}
        other = {name: value for name, value in options.items() if name not in own}
        self.settings = configure(LLMSettings, own, "the llm agent")
        if isinstance(model, str):
            kind = plugins.load("models", provider)
            check_names(other, [*kind.Settings.model_fields, *LLMSettings.model_fields], "the llm agent")
            self.model: Model = kind(model, **other)
        else:
            check_names(other, LLMSettings.model_fields, "the llm agent")
            self.model = model
        self.stop_reason = ""
        self.usage = Usage()

    def start(self, briefing: Briefing) -> None:
        """Begin a new conversation.

        Raises:
            ConfigError: a prompt template is missing or wrong.
        """
        self.stop_reason, self.usage = "", Usage()
        self._tools, self._edits, self._malformed = briefing.tools, 0, 0
        self._queue: deque[ToolCall] = deque()
        self._playing: ToolCall | None = None
        self._ids: set[str] = set()
        self._thought, self._unbilled = "", Usage()
        settings = self.settings
        values = {"task": briefing.task, "tools": self._names(), "observation": briefing.observation}
        opening: list[Message] = [
            {"role": "system", "content": _render(settings.system_template, values)},
            {"role": "user", "content": _render(settings.instance_template, values)},
        ]
        self._history = History(opening, settings.window if settings.history == "window" else None)

    def act(self, observation: Observation) -> Decision | None:
        """Record what the last call gave; then the next call of the model's reply, or of a new one.

        Raises:
            ModelError: the model cannot be reached or refuses to answer.
            ConfigError: there is a cost limit but the model's price is not known.
        """
        if self._playing is not None:
            played, self._playing = self._playing, None
            self._answer(played.id, observation.text + self._unlock(played, observation))
        while not self._queue:
            if (reply := self._ask()) is None:
                return None
            self._take(reply)
        self._playing = self._queue.popleft()
        decision = Decision(self._playing, self._thought, self._unbilled.as_dict())
        self._thought, self._unbilled = "", Usage()
        return decision

    def _ask(self) -> Reply | None:
        """One reply of the model, or None with the reason to stop."""
        self.stop_reason = self._limit_reached()
        while not self.stop_reason:
            try:
                reply = self.model.reply(self._history.messages(), self._offered())
            except ContextOverflowError as error:
                if not self._history.shrink():
                    self.stop_reason = str(error)
                continue
            self.usage += reply.usage
            self._unbilled += reply.usage
            if self.settings.cost_limit is not None and reply.usage.dollars is None:
                raise ConfigError("cost_limit needs a model whose price is known: give the model prices")
            return reply
        return None

    def _limit_reached(self) -> str:
        settings, usage = self.settings, self.usage
        if self._malformed >= settings.max_malformed:
            return f"{self._malformed} replies in a row held no tool call that can be played"
        if settings.token_limit is not None and usage.tokens >= settings.token_limit:
            return f"the token limit is reached: {usage.tokens} of {settings.token_limit}"
        if settings.cost_limit is not None and (usage.dollars or 0.0) >= settings.cost_limit:
            return f"the cost limit is reached: {usage.dollars:.4f} of {settings.cost_limit:g} dollars"
        return ""

    def _take(self, reply: Reply) -> None:
        """Put a reply into the history and its calls into the queue, or tell the model what is wrong."""
        self._thought = "\n\n".join(part for part in (self._thought, reply.reasoning, reply.text) if part)
        calls, wrong = self._read(reply)
        message: Message = {"role": "assistant", "content": reply.text or (None if calls else "(no text)")}
        if calls:
            message["tool_calls"] = [_wire(call) for call in calls]
        self._history.begin(message)
        if calls and not wrong:
            self._malformed = 0
            self._queue.extend(calls)
            return
        self._malformed += 1
        cut = " Your reply was cut off at its token limit." if reply.finish_reason == "length" else ""
        for call in calls:
            why = wrong.get(call.id, "another call of the same reply was wrong")
            self._answer(call.id, f"Not run: {why}.{cut}")
        if not calls:
            text = f"There was no tool call.{cut} Answer with exactly one tool call."
            self._history.answer({"role": "user", "content": text})

    def _read(self, reply: Reply) -> tuple[list[ToolCall], dict[str, str]]:
        """The reply's calls, each with an id of its own, and what is wrong with them by id.

        The arguments of a call that cannot be read become empty: servers refuse a history that holds
        malformed ones. Such a call is never played.
        """
        calls, wrong = [], {}
        names = self._names()
        for raw in reply.tool_calls:
            key = self._key(raw.id)
            try:
                calls.append(replace(raw, id=key).parse())
            except InvalidToolCallError as error:
                calls.append(ToolCall(name=raw.name, id=key))
                wrong[key] = f"{error}; you wrote {raw.arguments[:QUOTED]!r}"
            if raw.name not in names:
                wrong[key] = f"there is no tool named {raw.name!r}; the tools are: {', '.join(names)}"
        return calls, wrong

    def _key(self, given: str) -> str:
        """The model's id of a call; a new one where it is missing or was used before."""
        key, count = given, itertools.count(len(self._ids))
        while not key or key in self._ids:
            key = f"call{next(count):05}"  # nine letters and digits: Mistral's servers take nothing else
        self._ids.add(key)
        return key

    def _answer(self, key: str, text: str) -> None:
        self._history.answer({"role": "tool", "tool_call_id": key, "content": text})

    def _offered(self) -> list[Schema]:
        locked = self._edits < self.settings.debugger_after
        return [tool for tool in self._tools if not (locked and tool["function"]["name"] == DEBUGGER)]

    def _names(self) -> list[str]:
        return [tool["function"]["name"] for tool in self._offered()]

    def _unlock(self, call: ToolCall, observation: Observation) -> str:
        """Count successful edits; a sentence for the model when they bring the debugger."""
        before = self._names()
        self._edits += call.name in EDITORS and not observation.error
        news = [name for name in self._names() if name not in before]
        return f"\n\nFrom now on you also have the tool {news[0]}." if news else ""


def _wire(call: ToolCall) -> dict[str, Any]:
    name = NOT_IN_NAMES.sub("_", call.name)[:64] or "unknown"
    function = {"name": name, "arguments": json.dumps(call.arguments)}
    return {"id": call.id, "type": "function", "function": function}


def _render(template: Path, values: dict[str, Any]) -> str:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    try:
        return environment.from_string(template.read_text(encoding="utf-8")).render(values).strip()
    except OSError as error:
        raise ConfigError(f"the prompt template {template} cannot be read: {error.strerror}") from None
    except jinja2.TemplateError as error:
        known = ", ".join(values)
        raise ConfigError(f"the prompt template {template}: {error.message} (it can use: {known})") from None
