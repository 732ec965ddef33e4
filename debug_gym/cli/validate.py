"""``debug-gym validate``: are the tasks sound?"""

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
    benchmark_options: BenchmarkOptions = None,
    data_dir: DataDir = None,
) -> None:
    """Prove that tasks are sound: they fail before the gold patch and pass after it, repeatedly.

    [cyan]debug-gym validate nightmares --search[/]

    [cyan]debug-gym validate path/to/folder --write-tests --write-controls[/]

    [cyan]debug-gym validate repo -b path=. -b gold_patch=fix.diff --repeats 20[/]

    Exit codes: 0 all tasks are sound, 1 some are not, 2 wrong input.
    """
    from debug_gym.checks.find_tests import write_tests
    from debug_gym.checks.validate import validate_all, write_controls
    from debug_gym.cli.screens.progress import announced, counted
    from debug_gym.cli.screens.validation import show
    from debug_gym.runs.plan import make_benchmark
    from debug_gym.sandbox.registry import shared_backend, try_out

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
    with counted(f"validating {benchmark}", len(selected)) as tell:
        found = validate_all(
            selected,
            backend,
            repeats=repeats,
            workers=workers or os.cpu_count() or 1,
            search=search,
            on_done=lambda item: tell(f"{item.task} is {'sound' if item.sound else 'not sound'}"),
        )
    show(console, found, repeats=repeats)
    raise typer.Exit(int(not all(item.sound for item in found)))
