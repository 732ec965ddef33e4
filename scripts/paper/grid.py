"""The paper's grid: agents x models x benchmarks, each cell an ordinary run with an attempt for each seed."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from debug_gym.cli.screens.live import progress
from debug_gym.runs.config import RunConfig, load_config
from debug_gym.runs.plan import prepare
from debug_gym.runs.scheduler import Execution, execute

AGENTS = {"rewrite": "rewrite", "debug": "debug", "debug-after-5": "debug(5)"}
"""Our names of the paper's agents, with its own. Each is a preset with its budgets: 50 steps, 10 rewrites."""


def cells(
    models: Sequence[str],
    benchmarks: Sequence[str],
    output: Path,
    settings: Iterable[str] = (),
    options: Mapping[str, Any] | None = None,
) -> list[RunConfig]:
    """The runs of the grid, each in a folder of its own: ``output/BENCHMARK/MODEL/AGENT``.

    Args:
        models: their names at the endpoint.
        benchmarks: their names.
        output: the folder that holds all runs.
        settings: YAML files and ``key=value`` settings for every run, as ``load_config`` takes them.
        options: named options for every run, which win over settings.

    Raises:
        ConfigError: a setting or an option is wrong.
    """
    settings = list(settings)
    return [
        load_config(
            settings,
            {
                **(options or {}),
                "benchmark": benchmark,
                "model": model,
                "agent": agent,
                "output": output / _folder(benchmark) / _folder(model) / agent,
            },
        )
        for benchmark in dict.fromkeys(benchmarks)
        for model in dict.fromkeys(models)
        for agent in AGENTS
    ]


def play(configs: Sequence[RunConfig], console: Console) -> int:
    """Play what is not finished of every run; a later call resumes.

    A run of which every episode ended in an infrastructure error ends the grid: the endpoint is likely wrong.

    Returns:
        An exit code: 0 all is judged, 1 some episodes ended in an infrastructure error, 130 Ctrl-C.

    Raises:
        DebugGymError: as ``debug_gym.runs.plan.prepare`` and ``execute`` do; nothing was played if a name or
            an option is wrong.
    """
    plans = [prepare(config) for config in configs]
    code = 0
    for number, plan in enumerate(plans, 1):
        config = plan.config
        head = f"{number} of {len(plans)}  {config.benchmark} · {config.model} · {AGENTS[config.agent]}"
        console.print(Text(head, style="bold"))
        with closing(plan), progress(console, config.attempts) as show:
            outcome = execute(plan, show)
        console.print(Text(_told(outcome)), soft_wrap=True)
        if outcome.interrupted:
            return 130
        errors = [result for result in outcome.results if result.status == "error"]
        code = code or int(bool(errors))
        if errors and len(errors) == len(outcome.results):
            console.print(
                Text(f"no episode could be played: {errors[0].reason}", style="red"), soft_wrap=True
            )
            break
    return code


def _told(outcome: Execution) -> str:
    """How a run ended, in a line."""
    judged = [result for result in outcome.results if result.status != "error"]
    resolved = sum(result.status == "resolved" for result in judged)
    left = outcome.run.manifest.total - len(judged)
    more = f", {left} left: the same command again resumes" if left else ""
    return f"resolved {resolved} of {len(judged)}{more}"


def _folder(name: str) -> str:
    return re.sub(r"[^\w.]+", "-", name)
