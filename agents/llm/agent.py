"""The loop: ask the model, play its tool calls, answer each by its id."""

from collections.abc import Sequence
from typing import Any

from debug_gym.agents.base import Agent, Briefing, Decision
from debug_gym.agents.llm import prompts
from debug_gym.agents.llm.calls import CallReader, Turn, assistant_message
from debug_gym.agents.llm.history import History
from debug_gym.agents.llm.limits import EpisodeLimits
from debug_gym.agents.llm.settings import LLMSettings
from debug_gym.agents.llm.toolset import Toolset
from debug_gym.agents.models import ContextOverflowError, Message, Model, Reply, Schema, Usage
from debug_gym.agents.models.factory import PROVIDER, make_model, option_names
from debug_gym.agents.models.fenced import FencedModel
from debug_gym.agents.settings import check_names, configure
from debug_gym.episode import Observation, ToolCall
from debug_gym.errors import ConfigError


class LLMAgent(Agent):
    """A language model that calls tools.

    ``model`` is a ``Model``, or a name for the model class that ``provider`` names. Options are keywords, and
    their values may be strings: those of ``LLMSettings`` go to the agent, all others to the model class::

        LLMAgent(model="gpt-x", temperature="0.2", history="window")
        LLMAgent(model="qwen", base_url="http://localhost:8000/v1", token_limit=200_000)

    Every agent is made like this from a command line or a file: ``plugins.make("agents", name, options)``.
    ``name`` is what trajectories call it.

    A reply may hold several calls; they are played in order. If one of them cannot be read, none is played
    and the model is told under each call's id.
    """

    def __init__(
        self, model: Model | str = "", *, provider: str = PROVIDER, name: str = "llm", **options: Any
    ) -> None:
        """Make the model if it is given by name; then nobody else asks it, and it ends with the agent.

        Raises:
            ConfigError: no model, an unknown option, or a value that does not fit.
            UnknownNameError: no such provider.
        """
        if model == "":
            raise ConfigError(
                f"the agent {name!r} needs a model: --model NAME, and --base-url URL for a server of your own"
            )
        self.name, owner = name, f"the agent {name!r}"
        own = LLMSettings.model_fields
        known = option_names(provider) if isinstance(model, str) else []
        check_names(options, [*own, *known], owner)
        self.settings = configure(LLMSettings, {key: options[key] for key in own if key in options}, owner)
        if isinstance(model, str):
            model = make_model(model, provider, {key: options[key] for key in options if key not in own})
        self.tools = self.settings.tools
        protocol = self.settings.protocol
        self.model: Model = model if protocol == "tools" else FencedModel(model, protocol)

    def start(self, briefing: Briefing) -> None:
        """Begin a new conversation.

        Raises:
            ConfigError: a template is missing or wrong, or the environment lacks a tool of the agent.
        """
        settings = self.settings
        self.stop_reason = ""
        self._episode = f"{briefing.task.id}:{briefing.seed}"
        self._limits = EpisodeLimits(settings, briefing.max_steps)
        self._tools = Toolset(briefing.tools, self.tools, settings.debugger_after, self._limits)
        opening = prompts.opening(settings, briefing, self._tools.names(), self._limits.max_steps)
        self._history = History(opening, settings.history, settings.window)
        self._reader = CallReader(parallel=settings.parallel_calls)
        self._turn = Turn()
        self._playing: ToolCall | None = None
        self._thought, self._unbilled = "", Usage()

    def act(self, observation: Observation) -> Decision | None:
        """Record what the last call gave; then the next call of the model's reply, or of a new one.

        Raises:
            ModelError: the model cannot be reached or refuses to answer.
            ConfigError: there is a cost limit but the model's price is not known.
        """
        if self._playing is not None:
            played, self._playing = self._playing, None
            self._limits.count(played, observation)
            news = self._turn.notes.get(played.id), self._tools.news(), self._limits.news()
            self._history.answer(played.id, "\n\n".join([observation.text, *filter(None, news)]))
        if self._stops(self._limits.before_step()):
            return None
        while not self._turn.queue:
            if (reply := self._ask()) is None:
                return None
            self._take(reply)
        self._playing = self._turn.queue.popleft()
        decision = Decision(self._playing, self._thought, self.unbilled())
        self._thought, self._unbilled = "", Usage()
        return decision

    def unbilled(self) -> dict[str, float]:
        """What the model has cost since the last decision."""
        return self._unbilled.as_dict()

    def _ask(self) -> Reply | None:
        """One reply of the model, or None with the reason to stop."""
        while not self._stops(self._limits.before_request()):
            try:
                if old := self._history.overdue():
                    self._history.replace_overdue(self._summary(old))
                return self._reply(self._history.messages(), self._tools.offered())
            except ContextOverflowError as error:
                if not self._history.shrink():
                    self.stop_reason = str(error)
                    return None
        return None

    def _summary(self, old: Sequence[Message]) -> str:
        """What the model makes of old turns and the last summary; nothing if even that is too long for it."""
        request = prompts.summary_request(self.settings, self._history.summary, old)
        try:
            return self._reply(request, ()).text
        except ContextOverflowError:
            return ""

    def _take(self, reply: Reply) -> None:
        """Put a reply into the history; its calls will be played, or the model is told what is wrong."""
        self._thought = "\n\n".join(filter(None, (self._thought, reply.reasoning, reply.text)))
        self._turn = turn = self._reader.read(reply, self._tools.names())
        self._limits.malformed = 0 if turn.queue else self._limits.malformed + 1
        self._history.begin(assistant_message(reply, turn.calls, keep_reasoning=self.settings.keep_reasoning))
        for key, why in turn.refusals.items():
            self._history.answer(key, f"Not run: {why}")
        if not turn.calls:
            self._history.correct(turn.complaint)

    def _reply(self, messages: Sequence[Message], tools: Sequence[Schema]) -> Reply:
        """Ask the model, and add up what it costs."""
        reply = self.model.reply(messages, tools, episode=self._episode)
        self._limits.charge(reply.usage)
        self._unbilled += reply.usage
        return reply

    def _stops(self, reason: str) -> bool:
        """Note why the agent gives up; False where there is no reason."""
        self.stop_reason = reason
        return bool(reason)
