"""From the names in a configuration to live objects, so that mistakes show before anything is played."""

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from debug_gym import plugins
from debug_gym.benchmarks.base import Benchmark
from debug_gym.env import DEFAULT_TOOLS
from debug_gym.errors import ConfigError, UnknownNameError
from debug_gym.runs.config import RunConfig
from debug_gym.sandbox.registry import working_backend
from debug_gym.session.attempt import Attempt
from debug_gym.session.setup import Setup, make_agent, make_model
from debug_gym.store.records import Manifest
from debug_gym.task import Task


@dataclass(frozen=True)
class Plan(Setup):
    """Everything that a run needs, made and checked. Close it after use."""

    config: RunConfig
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
        driven: the tool calls come from outside, by ``Plan.session``; ``config.agent`` is just a name.

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
    plan = Plan(config, working_backend(config.sandbox), benchmark, tasks, model=model)
    plan.environment(tasks[0]).close()
    return plan


def make_benchmark(name: str, options: Mapping[str, Any]) -> Benchmark:
    """A registered benchmark. Raises as ``prepare`` does."""
    return plugins.make("benchmarks", name, options)


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
