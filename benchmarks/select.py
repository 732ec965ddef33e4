"""Choosing among the tasks of a benchmark, by their ids alone."""

import fnmatch
import random
from collections.abc import Mapping, Sequence
from typing import Any

from debug_gym import plugins
from debug_gym.benchmarks.base import Benchmark, Tasks
from debug_gym.errors import ConfigError, UnknownNameError
from debug_gym.task import Task


def select(
    benchmark: Benchmark,
    patterns: Sequence[str] = (),
    *,
    split: str | None = None,
    shuffle: int | None = None,
    limit: int | None = None,
) -> Tasks:
    """Tasks of a benchmark, in its order. No task is made.

    Args:
        benchmark: to choose from.
        patterns: ids and globs; none: all tasks.
        split: only those of this part of the benchmark.
        shuffle: seed of a random order; the same seed gives the same order.
        limit: only the first so many of them.

    Raises:
        UnknownNameError: a pattern matches no task, or there is no such split.
        ConfigError: the benchmark has no tasks, or no splits.
    """
    known = tuple(benchmark.ids() if split is None else benchmark.split(split))
    if not known:
        raise ConfigError(f"the benchmark {benchmark.name!r} has no tasks")
    chosen: set[str] = set()
    for pattern in patterns:
        matches = [pattern] if pattern in known else fnmatch.filter(known, pattern)
        if not matches:
            raise UnknownNameError("task", pattern, known)
        chosen.update(matches)
    ids = [name for name in known if not patterns or name in chosen]
    if shuffle is not None:
        random.Random(shuffle).shuffle(ids)
    return Tasks(benchmark, tuple(ids[:limit]))


def named(
    benchmark: str | Benchmark | None,
    task: Task | str | None,
    patterns: Sequence[str],
    options: Mapping[str, Any],
) -> Mapping[str, Task]:
    """What there is to play, by id, of the benchmark or the task that is named.

    Args:
        benchmark: a benchmark, or the name of one.
        task: a task in its place, or the id of the only one of its tasks.
        patterns: ids and globs of its tasks; none: all.
        options: for the benchmark's constructor, where it is named.

    Raises:
        ConfigError: these do not fit together.
        UnknownNameError: there is no such benchmark or task.
    """
    if isinstance(task, Task):
        if benchmark is not None or options or patterns:
            raise ConfigError("give a task or a benchmark, not both")
        return {task.id: task}
    if benchmark is None:
        raise ConfigError("give a benchmark or a task")
    if isinstance(benchmark, str):
        chosen: Benchmark = plugins.make("benchmarks", benchmark, options)
    elif options:
        raise ConfigError(f"unknown options: {', '.join(options)}")
    else:
        chosen = benchmark
    if task is not None:
        return {task: chosen.task(task)}
    return select(chosen, patterns)
