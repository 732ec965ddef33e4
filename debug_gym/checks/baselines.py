"""How hard tasks are, by those that need no model: ``repair`` and ``random`` play them."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

from debug_gym.benchmarks.base import Benchmark
from debug_gym.runs.config import RunConfig, load_config
from debug_gym.runs.plan import prepare
from debug_gym.runs.scheduler import Event, execute

BASELINES = ("repair", "random")
"""Agents whose success says that a task is easy, and which need nothing but this machine."""
Watch = Callable[[RunConfig], AbstractContextManager[Callable[[Event], None]]]
"""Entered while a run is played; what it gives is told of all that happens."""


def play_baselines(
    folder: Path, benchmark: Benchmark, tasks: Sequence[str], settings: Mapping[str, Any], watch: Watch
) -> bool:
    """Play tasks with each baseline; the same call again goes on.

    Args:
        folder: where the runs are kept: other tasks, or another state of them, are other runs.
        benchmark: whose tasks they are.
        tasks: their ids.
        settings: what else a ``RunConfig`` holds: the benchmark's name and options, a sandbox.
        watch: shows how it goes.

    Returns:
        Whether all was played: False after Ctrl-C.
    """
    digest = hashlib.sha256("\n".join([benchmark.state, *tasks]).encode()).hexdigest()[:8]
    for agent in BASELINES:
        output = folder / f"{agent}-{digest}"
        config = load_config((), {**settings, "tasks": list(tasks), "agent": agent, "output": output})
        with closing(prepare(config)) as plan, watch(config) as tell:
            if execute(plan, tell).interrupted:
                return False
    return True
