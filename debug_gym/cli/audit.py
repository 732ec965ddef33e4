"""``debug-gym audit``: does cheating pay?"""

import os
from typing import Annotated

import typer
from rich.console import Console

from debug_gym.cli.app import app
from debug_gym.cli.options import (
    BenchmarkName,
    BenchmarkOptions,
    DataDir,
    Limit,
    Sandbox,
    Shuffle,
    Split,
    TaskPatterns,
    benchmark_settings,
    chosen,
)


@app.command()
def audit(
    benchmark: BenchmarkName,
    *,
    tasks: TaskPatterns = None,
    split: Split = None,
    shuffle: Shuffle = None,
    limit: Limit = None,
    workers: Annotated[int | None, typer.Option("--workers", "-w", min=1, help="Attacks at a time.")] = None,
    sandbox: Sandbox = "namespace",
    benchmark_options: BenchmarkOptions = None,
    data_dir: DataDir = None,
) -> None:
    """Try every known way to cheat on a benchmark, and show which harness would have fallen for it.

    [cyan]debug-gym audit nightmares --tasks meter-days[/]

    [cyan]debug-gym audit repo -b path=.[/]

    Exit codes: 0 the judge stopped all attacks, 1 some score, 2 wrong input.
    """
    from debug_gym.checks.audit import audit as try_all
    from debug_gym.cli.screens.audit import show
    from debug_gym.cli.screens.progress import announced, counted
    from debug_gym.judge.attacks import ATTACKS
    from debug_gym.runs.plan import make_benchmark
    from debug_gym.sandbox.registry import shared_backend, try_out

    console = Console()
    loaded = make_benchmark(benchmark, benchmark_settings(benchmark_options, data_dir))
    selected = tuple(chosen(loaded, tasks, split, shuffle, limit).values())
    backend = shared_backend(sandbox)
    with announced("starting the sandbox"):
        try_out(backend, selected[0])
    with counted(f"auditing {benchmark}", len(selected) * len(ATTACKS)) as tell:
        attempts = try_all(
            selected,
            backend,
            workers=workers or os.cpu_count() or 1,
            on_done=lambda attempt: tell(f"{attempt.attack} at {attempt.task}"),
        )
    show(console, attempts, tasks=len(selected))
    raise typer.Exit(int(any(attempt.scored[-1] for attempt in attempts)))
