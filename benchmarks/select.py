"""Choosing among the tasks of a benchmark, by their ids alone."""

import fnmatch
import random
from collections.abc import Sequence

from debug_gym.benchmarks.base import Benchmark, Tasks
from debug_gym.errors import ConfigError, UnknownNameError


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
