"""What an episode may use up, and what it has used."""

import time

from debug_gym.agents.llm.settings import LLMSettings
from debug_gym.agents.models import Usage
from debug_gym.episode import Observation
from debug_gym.errors import ConfigError


class EpisodeLimits:
    """The counters of one episode. ``before_...`` give the reason to stop, or nothing."""

    def __init__(self, settings: LLMSettings, max_steps: int | None) -> None:
        """Begin to count; ``max_steps`` is the environment's limit."""
        self._settings = settings
        self.max_steps = min(filter(None, (settings.max_steps, max_steps)), default=None)
        """The tighter one of the agent's limit and the environment's."""
        self.steps = self.edits = self.malformed = 0
        self._usage = Usage()
        self._began = time.monotonic()

    def count(self, observation: Observation) -> None:
        """A call was played, and gave this."""
        self.steps += 1
        self.edits += observation.kind == "edit" and not observation.error

    def charge(self, usage: Usage) -> None:
        """The model has replied.

        Raises:
            ConfigError: there is a cost limit and the price is not known.
        """
        self._usage += usage
        if self._settings.cost_limit is not None and usage.dollars is None:
            raise ConfigError("cost_limit needs a model whose price is known: give the model prices")

    def before_step(self) -> str:
        """Why no call may be played any more."""
        settings, seconds = self._settings, time.monotonic() - self._began
        if self.max_steps is not None and self.steps >= self.max_steps:
            return f"the step limit is reached: {self.steps}"
        if settings.max_rewrites is not None and self.edits >= settings.max_rewrites:
            return f"the limit of rewrites is reached: {self.edits}"
        if settings.time_limit is not None and seconds >= settings.time_limit:
            return f"the time limit is reached: {seconds:.0f} of {settings.time_limit:g} seconds"
        return ""

    def before_request(self) -> str:
        """Why the model may not be asked any more."""
        settings, usage = self._settings, self._usage
        if self.malformed >= settings.max_malformed:
            replies = "1 reply" if self.malformed == 1 else f"{self.malformed} replies in a row"
            return f"no tool call that can be played in {replies}"
        if settings.token_limit is not None and usage.tokens >= settings.token_limit:
            return f"the token limit is reached: {usage.tokens} of {settings.token_limit}"
        if settings.cost_limit is not None and (usage.dollars or 0.0) >= settings.cost_limit:
            return f"the cost limit is reached: {usage.dollars:.4f} of {settings.cost_limit:g} dollars"
        return self.before_step()

    def news(self) -> str:
        """A sentence for the model when little is left, else nothing."""
        wholes = {"step": (self.max_steps, self.steps), "rewrite": (self._settings.max_rewrites, self.edits)}
        left = {what: whole - used for what, (whole, used) in wholes.items() if whole is not None}
        few = [
            f"{count} {what}{'s' * (count != 1)}"
            for what, count in left.items()
            if count <= self._settings.countdown
        ]
        return f"({' and '.join(few)} left.)" if few else ""
