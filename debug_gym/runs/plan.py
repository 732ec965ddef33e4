"""From the names in a configuration to live objects, so that mistakes show before anything is played."""

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from debug_gym import plugins
from debug_gym.agents.base import Agent
from debug_gym.agents.models import Model
from debug_gym.agents.models.factory import takes_model, with_model
from debug_gym.benchmarks.base import Benchmark
from debug_gym.env import DEFAULT_TOOLS, DebugGymEnv, shared_backend
from debug_gym.errors import ConfigError, MissingExtraError, SandboxUnavailableError, UnknownNameError
from debug_gym.runs.config import RunConfig
from debug_gym.sandbox import Backend
from debug_gym.store.records import Manifest
from debug_gym.task import Task
from debug_gym.tools.base import Tool


@dataclass(frozen=True)
class Attempt:
    """One try at one task."""

    task: Task
    number: int
    """Counts from 0."""
    seed: int

    @property
    def key(self) -> tuple[str, int]:
        """Task id and number, as in ``Result.key``."""
        return self.task.id, self.number


@dataclass(frozen=True)
class Setup:
    """What it takes to play an attempt, here or on another machine."""

    config: RunConfig
    backend: Backend
    model: Model | None = field(default=None, kw_only=True)
    """What all agents of the run ask; None where they need none, or make their own."""

    def environment(self, task: Task) -> DebugGymEnv:
        """A new environment for a task. Close it after use."""
        return DebugGymEnv(
            task=task,
            tools=[*(self.config.tools or DEFAULT_TOOLS), *_remote_tools(self.config.mcp)],
            sandbox=self.backend,
            max_steps=self.config.max_steps,
        )

    def agent(self) -> Agent:
        """A new agent, which uses all tools of the environment: they were chosen for it."""
        agent = make_agent(self.config, self.model)
        agent.tools = None
        return agent

    def close(self) -> None:
        """Close the model."""
        if self.model is not None:
            self.model.close()


@dataclass(frozen=True)
class Plan(Setup):
    """Everything that a run needs, made and checked. Close it after use."""

    benchmark: Benchmark
    tasks: tuple[Task, ...]

    def attempts(self) -> Iterator[Attempt]:
        """All attempts, first the first one at every task, so that an early look at the results is fair."""
        for number in range(self.config.attempts):
            for task in self.tasks:
                yield Attempt(task, number, self.config.seed + number)

    def manifest(self) -> Manifest:
        """What ``config.json`` says about this run."""
        return Manifest(
            config=self.config.model_dump(mode="json"),
            benchmark_version=self.benchmark.version,
            tasks=tuple(task.id for task in self.tasks),
        )


def prepare(config: RunConfig, *, driven: bool = False) -> Plan:
    """Load the tasks and try everything once that a run of them needs.

    Args:
        config: what to play.
        driven: the tool calls come from outside (``debug_gym.runs.driven``); ``config.agent`` is just a name.

    Raises:
        ConfigError: an option is wrong, or no task matches.
        UnknownNameError: a benchmark, task, agent, tool or sandbox does not exist.
        TaskError: a task of the benchmark is broken.
        SandboxUnavailableError: the sandbox does not work on this machine.
    """
    benchmark = make_benchmark(config.benchmark, config.benchmark_options)
    tasks = select(benchmark, config.tasks)
    own = None if driven else make_agent(config).tools
    model = None if driven else make_model(config)
    config = config.model_copy(update={"tools": config.tools or own or DEFAULT_TOOLS})
    plan = Plan(config, make_backend(config.sandbox), benchmark, tasks, model=model)
    plan.environment(tasks[0]).close()
    return plan


def make_benchmark(name: str, options: Mapping[str, Any]) -> Benchmark:
    """A registered benchmark. Raises as ``prepare`` does."""
    return plugins.make("benchmarks", name, options)


def make_model(config: RunConfig) -> Model | None:
    """The model that all agents of a run ask, for agents that take one. Raises as ``prepare`` does."""
    options = _agent_options(config)
    if not isinstance(options.get("model"), str) or not takes_model(plugins.load("agents", config.agent)):
        return None
    model: Model = with_model(options)["model"]
    return model


def make_agent(config: RunConfig, model: Model | None = None) -> Agent:
    """A new agent of the kind that is configured, which asks the model of ``make_model``.

    Raises as ``prepare`` does.
    """
    options = _agent_options(config)
    return plugins.make("agents", config.agent, with_model(options, model) if model else options)


def _agent_options(config: RunConfig) -> dict[str, Any]:
    named = {"model": config.model, "base_url": config.base_url}
    given = {key: value for key, value in named.items() if value is not None}
    return {**given, **config.agent_options}


def make_backend(name: str) -> Backend:
    """A registered sandbox backend that works on this machine. Raises as ``prepare`` does."""
    backend = shared_backend(name)
    probe = backend.probe()
    if not probe.works:
        raise SandboxUnavailableError(f"the sandbox {name!r} does not work here: {probe.detail}")
    return backend


def select(benchmark: Benchmark, patterns: Sequence[str]) -> tuple[Task, ...]:
    """The tasks whose ids match one of the patterns, in the benchmark's order; all if there is no pattern.

    Raises:
        UnknownNameError: a pattern matches no task.
        ConfigError: the benchmark has no tasks.
    """
    chosen: set[str] = set()
    for pattern in patterns:
        matches = fnmatch.filter(benchmark.tasks, pattern)
        if not matches:
            raise UnknownNameError("task", pattern, benchmark.tasks)
        chosen.update(matches)
    if not benchmark.tasks:
        raise ConfigError(f"the benchmark {benchmark.name!r} has no tasks")
    return tuple(task for name, task in benchmark.tasks.items() if not patterns or name in chosen)


def _remote_tools(addresses: Sequence[str]) -> list[Tool]:
    """The tools of MCP servers. Raises ConfigError where one cannot be used, MissingExtraError."""
    if not addresses:
        return []
    try:
        from debug_gym.tools.mcp import shared_server
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "mcp", "mcp") from None
    return [tool for address in addresses for tool in shared_server(address).tools]
