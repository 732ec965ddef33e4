"""One episode of the agent: ask the model, play its tool calls, answer each by its id."""

from collections.abc import Sequence
from typing import Literal

from debug_gym.agents.base import Briefing, Decision
from debug_gym.agents.llm import prompts
from debug_gym.agents.llm.calls import CallReader, Turn, assistant_message
from debug_gym.agents.llm.history import History
from debug_gym.agents.llm.limits import EpisodeLimits
from debug_gym.agents.llm.settings import LLMSettings
from debug_gym.agents.llm.toolset import Toolset
from debug_gym.agents.models import ContextOverflowError, Message, Model, Reply, Schema, Usage
from debug_gym.agents.models.base import well_formed
from debug_gym.episode import ModelReply, Observation, RequestedCall, ToolCall, bounded


class Episode:
    """A conversation with a model about one task.

    A reply may hold several calls; they are played in order. If one of them cannot be read, none is played
    and the model is told under each call's id.
    """

    def __init__(
        self, settings: LLMSettings, model: Model, briefing: Briefing, tools: Sequence[str] | None
    ) -> None:
        """Begin a conversation; ``tools``: which of the environment's to offer, None: all.

        Raises:
            ConfigError: a template is missing or wrong, or the environment lacks a tool of the agent.
        """
        self.stop_reason = ""
        """Why ``act`` returned None; empty while it has not."""
        self._settings, self._model = settings, model
        self._name = f"{briefing.task.id}:{briefing.seed}"
        self._limits = EpisodeLimits(settings, briefing.max_steps)
        self._tools = Toolset(briefing.tools, tools, settings.debugger_after, self._limits)
        names, most = self._tools.names(), self._limits.max_steps
        opening = prompts.opening(settings, briefing.task, briefing.observation, names, most)
        self._history = History(opening, settings.history, settings.window)
        self._reader = CallReader(parallel=settings.parallel_calls)
        self._turn = Turn()
        self._playing: ToolCall | None = None
        self._thought, self._unbilled = "", Usage()
        self._replies: list[ModelReply] = []

    def act(self, observation: Observation) -> Decision | None:
        """Record what the last call gave; then the next call of the model's reply, or of a new one.

        Raises:
            ModelError: the model cannot be reached or refuses to answer.
            ConfigError: there is a cost limit but the model's price is not known.
        """
        if self._playing is not None:
            played, self._playing = self._playing, None
            self._limits.count(observation)
            news = self._turn.notes.get(played.id), self._tools.news(), self._limits.news()
            self._history.answer(played.id, "\n\n".join([observation.text, *filter(None, news)]))
        if self._stops(self._limits.before_step()):
            return None
        while not self._turn.queue:
            if (reply := self._ask()) is None:
                return None
            self._take(reply)
        self._playing = self._turn.queue.popleft()
        decision = Decision(self._playing, self._thought, self.unbilled(), self.unplayed())
        self._thought, self._unbilled, self._replies = "", Usage(), []
        return decision

    def unbilled(self) -> dict[str, float]:
        """What the model has cost since the last decision."""
        return self._unbilled.as_dict()

    def unplayed(self) -> tuple[ModelReply, ...]:
        """What the model has said since the last decision."""
        return tuple(self._replies)

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
        request = prompts.summary_request(self._settings, self._history.summary, old)
        try:
            reply = self._reply(request, ())
        except ContextOverflowError:
            return ""
        self._replies.append(_stored(reply, purpose="summary"))
        return reply.text

    def _take(self, reply: Reply) -> None:
        """Put a reply into the history; its calls will be played, or the model is told what is wrong."""
        settings = self._settings
        self._turn = turn = self._reader.read(reply, self._tools.names())
        self._thought = bounded("\n\n".join(filter(None, (reply.reasoning, reply.text))))
        self._replies.append(_stored(reply, remark=turn.remark))
        self._limits.malformed = 0 if turn.queue else self._limits.malformed + 1
        self._history.begin(assistant_message(reply, turn.calls, keep_reasoning=settings.keep_reasoning))
        for key, why in turn.refusals.items():
            self._history.answer(key, f"Not run: {why}")
        if not turn.calls:
            self._history.correct(turn.complaint)

    def _reply(self, messages: Sequence[Message], tools: Sequence[Schema]) -> Reply:
        """Ask the model, and add up what it costs."""
        reply = self._model.reply(messages, tools, episode=self._name)
        self._limits.charge(reply.usage)
        self._unbilled += reply.usage
        return reply

    def _stops(self, reason: str) -> bool:
        """Note why the agent gives up; False where there is no reason."""
        self.stop_reason = reason
        return bool(reason)


def _stored(reply: Reply, *, purpose: Literal["call", "summary"] = "call", remark: str = "") -> ModelReply:
    """A reply as the trajectory keeps it."""
    calls = [
        RequestedCall(*(bounded(well_formed(part)) for part in (call.name, call.arguments, call.id)))
        for call in reply.tool_calls
    ]
    return ModelReply(
        text=bounded(well_formed(reply.text)),
        reasoning=bounded(well_formed(reply.reasoning)),
        calls=tuple(calls),
        finish_reason=reply.finish_reason,
        purpose=purpose,
        remark=bounded(well_formed(remark)),
        usage=reply.usage.as_dict(),
        tokens=reply.tokens,
    )
