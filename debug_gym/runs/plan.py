"""From the names in a configuration to live objects, so that mistakes show before anything is played."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from typing import Any

from debug_gym import plugins
from debug_gym.benchmarks.base import Benchmark, Tasks
from debug_gym.benchmarks.folder import FolderBenchmark, is_benchmark
from debug_gym.benchmarks.select import select
from debug_gym.benchmarks.task_file import is_task, read_task
from debug_gym.env import DEFAULT_TOOLS
from debug_gym.errors import ConfigError
from debug_gym.runs.config import RunConfig
from debug_gym.runs.first_look import FirstLook, first_look
from debug_gym.runs.sightings import Sighting, is_remote, sightings
from debug_gym.sandbox import FetchingBackend
from debug_gym.sandbox.registry import shared_backend, try_out
from debug_gym.session.attempt import Attempt
from debug_gym.session.setup import Setup, make_agent, make_model
from debug_gym.store.records import Manifest
from debug_gym.store.writer import check_resumable
from debug_gym.task import DirectorySource


@dataclass(frozen=True)
class Plan(Setup):
    """Everything that a run needs, made and checked. Close it after use."""

    config: RunConfig
    benchmark: Benchmark
    tasks: Tasks

    def attempts(self) -> Iterator[Attempt]:
        """All attempts, first the first one at every task, so that an early look at the results is fair."""
        for number in range(self.config.attempts):
            for task in self.tasks.values():
                yield Attempt(task, number, self.config.seed + number)

    def first_look(self) -> FirstLook | None:
        """Run the tests of a repository that nobody has validated; None: this benchmark is validated.

        Raises:
            TaskError: they cannot be run like this; see ``debug_gym.runs.first_look``.
        """
        modules = self.benchmark.own_modules
        return None if modules is None else first_look(self.tasks.first, self.backend, modules)

    def sightings(self) -> list[Sighting]:
        """Files that look like secrets and that a model on another machine could read."""
        source = self.tasks.first.source
        remote = self.config.model is not None and is_remote(self.config.base_url)
        if not remote or self.benchmark.own_modules is None or not isinstance(source, DirectorySource):
            return []
        return list(sightings(source))

    def manifest(self) -> Manifest:
        """What ``config.json`` says about this run."""
        return Manifest(
            config=self.config.model_dump(mode="json"),
            benchmark_version=self.benchmark.state,
            tasks=self.tasks.ids,
            files=dict(self.benchmark.files),
        )


def prepare(
    config: RunConfig,
    *,
    driven: bool = False,
    starting: Callable[[], AbstractContextManager[Callable[[str], None] | None]] = nullcontext,
) -> Plan:
    """Load the tasks and try everything once that a run of them needs, what takes longest at last.

    Args:
        config: what to play.
        driven: the tool calls come from outside, by ``Plan.session``; ``config.agent`` is just a name.
        starting: entered while the first sandbox is started, which may take seconds; what it gives is told
            what is being fetched meanwhile.

    Raises:
        ConfigError: an option is wrong, no task matches, or the folder holds another run.
        UnknownNameError: a benchmark, task, agent, tool or sandbox does not exist.
        TaskError: a task of the benchmark is broken.
        SandboxUnavailableError: the sandbox does not work on this machine.
        CacheError: the cache has no room for a repository.
    """
    benchmark = make_benchmark(config.benchmark, config.benchmark_options)
    tasks = selected(benchmark, config)
    model = None if driven else make_model(config)
    with ExitStack() as on_failure:
        if model is not None:
            on_failure.callback(model.close)
        agents = [] if driven else [make_agent(config, model)]
        own = agents[0].tools if agents else None
        config = config.model_copy(update={"tools": config.tools or own or DEFAULT_TOOLS})
        backend = shared_backend(config.sandbox)
        plan = Plan(config, backend, benchmark, tasks, model=model, waiting=agents)
        check_resumable(config.folder, plan.manifest(), inert=RunConfig.INERT)
        plan.environment(tasks.first).close()
        with starting() as tell:
            if tell is not None and isinstance(backend, FetchingBackend):
                backend.on_progress = tell
            try_out(plan.backend, tasks.first)
        on_failure.pop_all()
    return plan


def selected(benchmark: Benchmark, config: RunConfig) -> Tasks:
    """The tasks of a benchmark that a configuration names. Raises as ``prepare`` does."""
    return select(benchmark, config.tasks, split=config.split, shuffle=config.shuffle, limit=config.limit)


def is_folder(name: str) -> bool:
    """Whether a name is the path of a folder that is a benchmark or a task, and no registered name."""
    return name not in plugins.names("benchmarks") and (is_benchmark(name) or is_task(name))


def make_benchmark(name: str, options: Mapping[str, Any]) -> Benchmark:
    """A registered benchmark, the one in a folder, or the task that a repository is. Raises as ``prepare``
    does."""
    if name not in plugins.names("benchmarks") and is_benchmark(name):
        if options:
            raise ConfigError(f"a benchmark that is a folder has no options: {', '.join(options)}")
        return FolderBenchmark(name)
    if name not in plugins.names("benchmarks") and is_task(name):
        return read_task(name, options)
    return plugins.make("benchmarks", name, options)
