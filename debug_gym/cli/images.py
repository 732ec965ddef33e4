"""``debug-gym images``: what the Docker backend keeps, made ahead of a run, and removed."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from debug_gym.cli.app import app
from debug_gym.cli.options import (
    AsJson,
    BenchmarkOptions,
    DataDir,
    Limit,
    Shuffle,
    Split,
    TaskPatterns,
    benchmark_settings,
    chosen,
    complete,
)


@app.command()
def images(
    benchmark: Annotated[
        str | None,
        typer.Argument(
            help="Make the images of this benchmark's tasks.", autocompletion=complete("benchmarks")
        ),
    ] = None,
    *,
    tasks: TaskPatterns = None,
    split: Split = None,
    shuffle: Shuffle = None,
    limit: Limit = None,
    benchmark_options: BenchmarkOptions = None,
    data_dir: DataDir = None,
    keep: Annotated[
        float | None,
        typer.Option(min=0, metavar="GB", help="Remove the oldest until the others need no more than this."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the images that sandboxes in containers start from; make them ahead of a run, or remove them.

    [cyan]debug-gym images[/]

    [cyan]debug-gym images nightmares --tasks meter-days[/]

    [cyan]debug-gym images --keep 20[/]

    Exit codes: 0 done, 2 wrong input, or no Docker daemon answers.
    """
    from debug_gym.cli.screens.images import show
    from debug_gym.cli.screens.progress import announced
    from debug_gym.runs.plan import make_benchmark
    from debug_gym.sandbox.docker.backend import default_image
    from debug_gym.sandbox.docker.daemon import connect
    from debug_gym.sandbox.docker.images import prepared
    from debug_gym.sandbox.docker.kept import list_prepared, needed, remove_prepared

    console, client = Console(stderr=as_json), connect()
    try:
        if benchmark is not None:
            loaded = make_benchmark(benchmark, benchmark_settings(benchmark_options, data_dir))
            with announced("looking at the tasks") as say:
                for task in chosen(loaded, tasks, split, shuffle, limit).values():
                    prepared(client, task, default_image(), say)
        if keep is not None:
            removed = remove_prepared(client, keep=int(keep * 1e9))
            console.print(f"{removed} prepared image{'s' * (removed != 1)} removed", highlight=False)
        left = list_prepared(client)
        if as_json:
            typer.echo(json.dumps([asdict(image) for image in left], indent=2))
        else:
            show(console, left, needed(left))
    finally:
        client.close()
