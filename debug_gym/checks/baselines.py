"""How hard tasks are, by those that need no model: ``repair`` and ``random`` play them."""

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

from debug_gym.runs.config import RunConfig, load_config
from debug_gym.runs.plan import prepare
from debug_gym.runs.scheduler import Event, execute

BASELINES = ("repair", "random")
"""Agents whose success says that a task is easy, and which need nothing but this machine."""
Watch = Callable[[RunConfig], AbstractContextManager[Callable[[Event], None]]]
"""Entered while a run is played; what it gives is told of all that happens."""


def play_baselines(folder: Path, settings: dict[str, Any], watch: Watch) -> bool:
    """Play tasks with each baseline, in a run ``folder/AGENT``; the same call again goes on.

    Args:
        folder: where the runs are kept.
        settings: what else a ``RunConfig`` holds: the benchmark, which of its tasks.
        watch: shows how it goes.

    Returns:
        Whether all was played: False after Ctrl-C.

    Raises:
        ConfigError: a folder holds a run of other tasks, or of another state of them.
    """
    for agent in BASELINES:
        config = load_config((), {**settings, "agent": agent, "output": folder / agent})
        with closing(prepare(config)) as plan, watch(config) as tell:
            if execute(plan, tell).interrupted:
                return False
    return True
