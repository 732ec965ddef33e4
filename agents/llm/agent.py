"""The agent that a language model drives: its options, its model, and an episode at a time."""

from typing import Any

from debug_gym.agents.base import Agent, Briefing, Decision
from debug_gym.agents.llm.episode import Episode
from debug_gym.agents.llm.settings import LLMSettings
from debug_gym.agents.models import Model
from debug_gym.agents.models.factory import PROVIDER, make_model, option_names
from debug_gym.agents.models.fenced import FencedModel
from debug_gym.agents.settings import check_names, configure
from debug_gym.episode import ModelReply, Observation
from debug_gym.errors import ConfigError


class LLMAgent(Agent):
    """A language model that calls tools.

    ``model`` is a ``Model``, or a name for the model class that ``provider`` names. Options are keywords, and
    their values may be strings: those of ``LLMSettings`` go to the agent, all others to the model class::

        LLMAgent(model="gpt-x", temperature="0.2", history="window")
        LLMAgent(model="qwen", base_url="http://localhost:8000/v1", token_limit=200_000)

    Every agent is made like this from a command line or a file: ``plugins.make("agents", name, options)``.
    ``name`` is what trajectories call it.
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
        if isinstance(model, str) or not options.keys() <= own.keys():
            check_names(options, [*own, *option_names(provider)], owner)  # a slip may be meant for the model
        if not isinstance(model, str):
            check_names(options, own, owner)
        self.settings = configure(LLMSettings, {key: options[key] for key in own if key in options}, owner)
        if isinstance(model, str):
            model = make_model(model, provider, {key: options[key] for key in options if key not in own})
        self.tools = self.settings.tools
        protocol = self.settings.protocol
        self.model: Model = model if protocol == "tools" else FencedModel(model, protocol)
        self._episode: Episode | None = None

    def start(self, briefing: Briefing) -> None:
        """Begin a new conversation; see ``Episode``."""
        self.stop_reason = ""
        self._episode = Episode(self.settings, self.model, briefing, self.tools)

    def act(self, observation: Observation) -> Decision | None:
        """The next call; see ``Episode.act``."""
        assert self._episode is not None  # start was called
        decision = self._episode.act(observation)
        self.stop_reason = self._episode.stop_reason
        return decision

    def unbilled(self) -> dict[str, float]:
        """What the model has cost since the last decision."""
        return self._episode.unbilled() if self._episode else {}

    def unplayed(self) -> tuple[ModelReply, ...]:
        """What the model has said since the last decision."""
        return self._episode.unplayed() if self._episode else ()
