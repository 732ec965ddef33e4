"""What it takes to play attempts, here or on another machine: a configuration and a backend."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Literal

from pydantic import Field

from debug_gym import plugins
from debug_gym.agents.base import Agent
from debug_gym.agents.models import Model
from debug_gym.agents.models.factory import takes_model, with_model
from debug_gym.env import DEFAULT_TOOLS, DebugGymEnv
from debug_gym.episode import Step
from debug_gym.errors import MissingExtraError
from debug_gym.sandbox import Backend
from debug_gym.session.attempt import Attempt, Recorder
from debug_gym.session.session import AttemptSession, Passing
from debug_gym.task import Frozen, Task
from debug_gym.tools.base import Tool


class AttemptConfig(Frozen):
    """Who plays an attempt, and how."""

    benchmark: str
    """Name of a registered benchmark, or the path of a folder that is one."""
    agent: str
    """Name of a registered agent."""
    agent_options: dict[str, Any] = Field(default_factory=dict)
    """What the agent's class is called with."""
    model: str | None = None
    """The model that the agent asks, for agents that have one."""
    base_url: str | None = None
    """Address of an OpenAI-compatible server; None: what the model's client uses by itself."""
    tools: tuple[str, ...] | None = None
    """Names of the environment's tools; None: those that the agent wants, or else the default ones."""
    mcp: tuple[str, ...] = ()
    """MCP servers whose tools the agent gets as well: addresses, or command lines that start one."""
    max_steps: int = Field(default=50, gt=0)
    """Tool calls in one episode."""
    time_limit: float = Field(default=1800.0, gt=0, allow_inf_nan=False)
    """Seconds of wall-clock time for one episode. It is checked between steps: the step in which it passes is
    the last one, and then the workspace is judged as it stands."""
    sandbox: str = "namespace"
    """Name of a registered sandbox backend."""


@dataclass(frozen=True)
class Setup:
    """Makes environments, agents and sessions of one configuration."""

    config: AttemptConfig
    backend: Backend
    model: Model | None = field(default=None, kw_only=True)
    """What all agents ask; None where they need none, or make their own."""
    waiting: list[Agent] = field(default_factory=list, kw_only=True, repr=False)
    """Agents that were made already, to see whether that can be done; they are the first to play."""

    def environment(self, task: Task, reward: Literal["sparse", "dense"] = "sparse") -> DebugGymEnv:
        """A new environment for a task, with rewards as ``DebugGymEnv`` knows them. Close it after use.

        Raises:
            ConfigError: a tool cannot be used.
            UnknownNameError: there is no tool of that name.
        """
        return DebugGymEnv(
            task=task,
            tools=[*(self.config.tools or DEFAULT_TOOLS), *_remote_tools(self.config.mcp)],
            sandbox=self.backend,
            reward=reward,
            max_steps=self.config.max_steps,
        )

    def agent(self) -> Agent:
        """A new agent, which uses all tools of the environment: they were chosen for it."""
        try:
            agent = self.waiting.pop()
        except IndexError:
            agent = make_agent(self.config, self.model)
        agent.tools = None
        return agent

    def close(self) -> None:
        """Close the model."""
        if self.model is not None:
            self.model.close()

    def session(
        self,
        attempt: Attempt,
        recorder: Recorder | None = None,
        *,
        reward: Literal["sparse", "dense"] = "sparse",
        idle: float | None = None,
        stop: Event | None = None,
        turn: AbstractContextManager[Any] | None = None,
        on_step: Callable[[Step, Passing], None] = lambda step, tests: None,
    ) -> AttemptSession:
        """A new session for an attempt: see ``AttemptSession``. Raises as ``environment`` does."""
        return AttemptSession(
            self.environment(attempt.task, reward),
            attempt,
            agent=self.config.agent,
            model=self.config.model,
            benchmark=self.config.benchmark,
            recorder=recorder,
            time_limit=self.config.time_limit,
            idle=idle,
            stop=stop,
            turn=turn,
            on_step=on_step,
        )


def make_model(config: AttemptConfig) -> Model | None:
    """The model that all agents ask, if they are of a kind that takes one. Raises as ``make_agent`` does."""
    options = _agent_options(config)
    if not isinstance(options.get("model"), str) or not takes_model(plugins.load("agents", config.agent)):
        return None
    model: Model = with_model(options)["model"]
    return model


def make_agent(config: AttemptConfig, model: Model | None = None) -> Agent:
    """A new agent of the kind that is configured, which asks the model of ``make_model``.

    Raises:
        UnknownNameError: there is none of that name.
        ConfigError: an option is wrong.
        ModelError: the model cannot be used, e.g. for want of a key.
    """
    options = _agent_options(config)
    return plugins.make("agents", config.agent, with_model(options, model) if model else options)


def _agent_options(config: AttemptConfig) -> dict[str, Any]:
    named = {"model": config.model, "base_url": config.base_url}
    given = {key: value for key, value in named.items() if value is not None}
    return {**given, **config.agent_options}


def _remote_tools(addresses: Sequence[str]) -> list[Tool]:
    """The tools of MCP servers. Raises ConfigError where one cannot be used, MissingExtraError."""
    if not addresses:
        return []
    try:
        from debug_gym.tools.mcp import shared_server
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "mcp", "mcp") from None
    return [tool for address in addresses for tool in shared_server(address).tools]
