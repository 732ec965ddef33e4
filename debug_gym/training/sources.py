"""The episodes of stored runs that are fit to learn from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from debug_gym.benchmarks.base import Benchmark
from debug_gym.errors import ConfigError, DebugGymError
from debug_gym.report.load import load
from debug_gym.runs.plan import make_benchmark
from debug_gym.store.exports.conversations import Conversation, conversations
from debug_gym.store.exports.filters import Filters, Reserved, Sieve
from debug_gym.store.records import Run
from debug_gym.task import Task


class Source:
    """Episodes of runs, filtered, as conversations of one learner.

    Args:
        runs: folders of runs, or folders that hold some, whoever played: a model, the oracle, ``repair``, a
            person.
        options: of the learner, see ``conversations``.
        tools: that it is offered; None: those of each run.
        filters: what is left out.
        without: what the learner will be evaluated on: names of benchmarks, ``NAME:SPLIT``, or folders of
            runs. Neither their tasks are learned from, nor other tasks of their repositories.

    Raises:
        ConfigError: there is no such run, benchmark or split.
    """

    def __init__(
        self,
        runs: Iterable[str | Path],
        *,
        options: Mapping[str, Any] | None = None,
        tools: Sequence[str] | None = None,
        filters: Filters | None = None,
        without: Sequence[str] = (),
    ) -> None:
        self.runs = [entry.run for entry in load(runs)]
        self._options, self._tools = options, tools
        self._benchmark_of = cache(_benchmark)
        reserved = Reserved.of(task for name in without for task in _reserved(name))
        self.sieve = Sieve(filters or Filters(), reserved, self._task)

    def conversations(self) -> Iterator[Conversation]:
        """Those that are fit; afterwards ``sieve`` knows how many were not, and why."""
        for run in self.runs:
            found = conversations(run, options=self._options, tools=self._tools)
            yield from self.sieve.pass_through(found)

    def _task(self, conversation: Conversation) -> Task:
        benchmark = self._benchmark_of(conversation.run)
        try:
            return benchmark.task(conversation.task)
        except DebugGymError as error:
            raise ConfigError(
                f"whether {conversation.task} of {conversation.run} is reserved cannot be told: {error}"
            ) from None


def _benchmark(run: str) -> Benchmark:
    """What a run was played on."""
    config = Run.open(run).manifest.config
    return make_benchmark(str(config.get("benchmark")), config.get("benchmark_options") or {})


def _reserved(name: str) -> Iterator[Task]:
    """The tasks that a name stands for."""
    if Path(name, "config.json").is_file():
        run = Run.open(name)
        benchmark = _benchmark(name)
        yield from (benchmark.task(task) for task in run.manifest.tasks)
        return
    title, _, split = name.partition(":")
    benchmark = make_benchmark(title, {})
    yield from (benchmark.task(task) for task in (benchmark.split(split) if split else benchmark.ids()))
