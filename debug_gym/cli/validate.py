"""``debug-gym validate``: are the tasks sound?"""

import os
from pathlib import Path
from typing import Annotated, Any

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
def validate(
    benchmark: BenchmarkName,
    *,
    tasks: TaskPatterns = None,
    split: Split = None,
    shuffle: Shuffle = None,
    limit: Limit = None,
    repeats: Annotated[int, typer.Option(min=1, help="How often the gold patch must be judged a fix.")] = 5,
    workers: Annotated[int | None, typer.Option("--workers", "-w", min=1, help="Tasks at a time.")] = None,
    sandbox: Sandbox = "namespace",
    search: Annotated[
        bool, typer.Option(help="Search all that an agent can read for the answers: about a minute.")
    ] = False,
    find: Annotated[
        bool,
        typer.Option(
            "--write-tests",
            help="First find the tests that decide, of tasks that name none, and store their ids.",
        ),
    ] = False,
    make_controls: Annotated[
        bool,
        typer.Option("--write-controls", help="First make the negative controls anew and store them."),
    ] = False,
    baselines: Annotated[
        bool,
        typer.Option(
            "--baselines",
            help="Let the agents repair and random play them first: it tells how hard they are.",
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Where it is kept. [dim]\\[default: runs/BENCHMARK-validation][/]"
        ),
    ] = None,
    benchmark_options: BenchmarkOptions = None,
    data_dir: DataDir = None,
) -> None:
    """Prove that tasks are sound: they fail before the gold patch and pass after it, repeatedly.

    What is found is kept in a folder, of which [cyan]debug-gym report[/] makes a page.

    [cyan]debug-gym validate nightmares --search[/]

    [cyan]debug-gym validate path/to/folder --write-tests --write-controls[/]

    [cyan]debug-gym validate mined/shop-git --baselines[/]

    [cyan]debug-gym validate repo -b path=. -b gold_patch=fix.diff --repeats 20[/]

    Exit codes: 0 all tasks are sound, 1 some are not, 2 wrong input, 130 interrupted.
    """
    from debug_gym.checks.baselines import play_baselines
    from debug_gym.checks.facts import recorded
    from debug_gym.checks.find_tests import write_tests
    from debug_gym.checks.validate import validate_all, write_controls
    from debug_gym.cli.screens.live import baseline_watched
    from debug_gym.cli.screens.progress import announced, counted
    from debug_gym.cli.screens.quality import show_quality
    from debug_gym.cli.screens.validation import show
    from debug_gym.report.load import load
    from debug_gym.report.quality import qualities
    from debug_gym.runs.config import RunConfig
    from debug_gym.runs.plan import make_benchmark
    from debug_gym.sandbox.registry import shared_backend, try_out
    from debug_gym.store.validations import begin_validations, write_validations

    console = Console()
    options = benchmark_settings(benchmark_options, data_dir)
    loaded = make_benchmark(benchmark, options)
    selected = tuple(chosen(loaded, tasks, split, shuffle, limit).values())
    backend = shared_backend(sandbox)
    with announced("starting the sandbox"):
        try_out(backend, selected[0])
    ids = [task.id for task in selected]
    if find:
        with counted("finding the tests that decide", len(ids)) as tell:
            left_out = write_tests(loaded, ids, backend, on_done=lambda task, what: tell(f"{task} {what}"))
        for task, why in left_out.items():
            console.print(
                f"{task}: no tests are written: {why}", markup=False, highlight=False, soft_wrap=True
            )
        loaded = make_benchmark(benchmark, options)
        selected = tuple(map(loaded.task, ids))
    if make_controls:
        with counted("making negative controls", len(selected)) as tell:
            write_controls(loaded, selected, backend, on_done=lambda task, count: tell(f"{task} has {count}"))
        loaded = make_benchmark(benchmark, options)
        selected = tuple(map(loaded.task, ids))
    folder = output or RunConfig(benchmark=benchmark, agent="validation").folder
    record = begin_validations(folder, benchmark, loaded.state)
    if baselines:
        settings: dict[str, Any] = {
            "benchmark": benchmark,
            "benchmark_options": options,
            "sandbox": sandbox,
            "workers": workers,
        }
        if not play_baselines(folder, loaded, ids, settings, baseline_watched):
            raise typer.Exit(130)
    with counted(f"validating {benchmark}", len(selected)) as tell:
        found = validate_all(
            selected,
            backend,
            repeats=repeats,
            workers=workers or os.cpu_count() or 1,
            search=search,
            on_done=lambda item: tell(f"{item.task} is {'sound' if item.sound else 'not sound'}"),
        )
    pairs = zip(selected, found, strict=True)
    record = record.having(recorded(task, item, repeats=repeats, searched=search) for task, item in pairs)
    write_validations(folder, record)
    show(console, found, repeats=repeats)
    show_quality(console, qualities([record], load([folder], demand=False))[0], folder)
    raise typer.Exit(int(not all(item.sound for item in found)))
