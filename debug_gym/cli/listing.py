"""``debug-gym list``: what there is to name in the other commands."""

import json
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from debug_gym import plugins
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
)
from debug_gym.errors import UnknownNameError

TASKS = "tasks"


@app.command("list")
def list_(
    what: Annotated[
        str | None,
        typer.Argument(
            help=f"One of {', '.join(plugins.KINDS)}, {TASKS}, or a benchmark's name, to list its tasks.",
            autocompletion=lambda incomplete: [
                name
                for name in (*plugins.KINDS, TASKS, *plugins.names("benchmarks"))
                if name.startswith(incomplete)
            ],
        ),
    ] = None,
    *,
    tasks: TaskPatterns = None,
    split: Split = None,
    shuffle: Shuffle = None,
    limit: Limit = None,
    benchmark_options: BenchmarkOptions = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show what there is. Columns are separated by tabs when the output is not a terminal.

    [cyan]debug-gym list[/]  everything

    [cyan]debug-gym list agents[/]

    [cyan]debug-gym list nightmares[/]  the tasks of a benchmark, and where it comes from

    [cyan]debug-gym list tasks[/]  those of all benchmarks whose data is at hand

    [cyan]debug-gym list repo -b path=.[/]
    """
    from debug_gym.benchmarks.folder import is_benchmark
    from debug_gym.cli.screens.catalogue import all_task_rows, card_lines, plugin_rows, task_rows

    if what is None or what in plugins.KINDS:
        kinds = plugins.KINDS if what is None else (what,)
        rows = [row for kind in kinds for row in plugin_rows(kind)]
        _print_rows(("kind", "name", "description"), rows, as_json)
        return
    if what == TASKS:
        found, missing = all_task_rows()
        _print_rows((plugins.KINDS["benchmarks"], "task", "category", "problem"), found, as_json)
        if missing:
            typer.echo(f"not listed, since their data was not fetched yet: {', '.join(missing)}", err=True)
        return
    if what not in plugins.names("benchmarks") and not is_benchmark(what):
        raise UnknownNameError(
            "benchmark or kind", what, (*plugins.KINDS, TASKS, *plugins.names("benchmarks"))
        )
    from debug_gym.runs.plan import make_benchmark

    benchmark = make_benchmark(what, benchmark_settings(benchmark_options, data_dir))
    for line in card_lines(benchmark):
        typer.echo(line, err=True)  # programs read the tasks alone
    _print_rows(
        ("task", "category", "problem"), task_rows(chosen(benchmark, tasks, split, shuffle, limit)), as_json
    )


def _print_rows(titles: Sequence[str], rows: Iterable[Sequence[str]], as_json: bool) -> None:
    """A table for people; tab-separated lines for programs, or JSON."""
    if as_json:
        found = [dict(zip(titles, row, strict=True)) for row in rows]
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    console = Console()
    if not console.is_terminal:
        for row in rows:
            typer.echo("\t".join(row))
        return
    table = Table(header_style="bold", show_edge=False, pad_edge=False, box=None, padding=(0, 2, 0, 0))
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*[Text(cell) for cell in row])
    console.print(table, "")
