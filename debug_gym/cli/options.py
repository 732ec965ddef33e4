"""Options that several commands share, and what they do with them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from debug_gym import plugins

if TYPE_CHECKING:
    from debug_gym.benchmarks.base import Benchmark, Tasks


def complete(group: str) -> Callable[[str], list[str]]:
    """Shell completion for the names of a plugin group."""
    return lambda incomplete: [name for name in plugins.names(group) if name.startswith(incomplete)]


BenchmarkOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--benchmark-option", "-b", metavar="KEY=VALUE", help="An option of the benchmark. Repeatable."
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH", help="A copy of the benchmark's data on this machine, in place of a download."
    ),
]
TaskPatterns = Annotated[
    list[str] | None,
    typer.Option("--tasks", "-t", metavar="ID|GLOB", help="Only these tasks, e.g. 'meter*'. Repeatable."),
]
OWN = "A repository of your own (benchmark repo)"
RepoPath = Annotated[str | None, typer.Option("--path", help="The folder.", rich_help_panel=OWN)]
TestCommand = Annotated[
    str | None,
    typer.Option(help="How it is tested. [dim]\\[default: python -m pytest][/]", rich_help_panel=OWN),
]
Problem = Annotated[str | None, typer.Option(help="What is wrong.", rich_help_panel=OWN)]
Split = Annotated[
    str | None, typer.Option(metavar="NAME", help="Only the tasks of this part of the benchmark.")
]
Shuffle = Annotated[int | None, typer.Option(min=0, metavar="SEED", help="Take the tasks in a random order.")]
Limit = Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the first N of the tasks.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Sandbox = Annotated[str, typer.Option(help="Where the code runs.", autocompletion=complete("sandboxes"))]
BenchmarkName = Annotated[
    str,
    typer.Argument(
        help="Name of a benchmark, or the path of a folder that is one.",
        autocompletion=complete("benchmarks"),
    ),
]


def chosen(
    benchmark: "Benchmark",
    tasks: list[str] | None,
    split: str | None = None,
    shuffle: int | None = None,
    limit: int | None = None,
) -> "Tasks":
    """The tasks that the options name."""
    from debug_gym.benchmarks.select import select

    return select(benchmark, split_patterns(tasks), split=split, shuffle=shuffle, limit=limit)


def split_patterns(tasks: list[str] | None) -> list[str]:
    """Patterns may be repeated and joined by commas."""
    return [part for item in tasks or () for part in item.split(",")]


def benchmark_settings(
    given: list[str] | None,
    data_dir: Path | None = None,
    path: str | None = None,
    test_command: str | None = None,
    problem: str | None = None,
) -> dict[str, Any]:
    """The options of a benchmark: those of ``-b``, and those that have an option of their own, which win."""
    from debug_gym.runs.config import parse_options

    copy = None if data_dir is None else str(data_dir.expanduser().resolve())
    own = {"data_dir": copy, "path": path, "test_command": test_command, "problem": problem}
    named = {key: value for key, value in own.items() if value is not None}
    return {**parse_options(given or (), "--benchmark-option"), **named}
