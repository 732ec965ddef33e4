"""Options that several commands share, and what they do with them."""

from collections.abc import Callable
from typing import Annotated

import typer

from debug_gym import plugins


def complete(group: str) -> Callable[[str], list[str]]:
    """Shell completion for the names of a plugin group."""
    return lambda incomplete: [name for name in plugins.names(group) if name.startswith(incomplete)]


BenchmarkOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--benchmark-option", "-b", metavar="KEY=VALUE", help="An option of the benchmark. Repeatable."
    ),
]
TaskPatterns = Annotated[
    list[str] | None,
    typer.Option("--tasks", "-t", metavar="ID|GLOB", help="Only these tasks, e.g. 'meter*'. Repeatable."),
]
Sandbox = Annotated[str, typer.Option(help="Where the code runs.", autocompletion=complete("sandboxes"))]
BenchmarkName = Annotated[
    str, typer.Argument(help="Name of a benchmark.", autocompletion=complete("benchmarks"))
]


def split_patterns(tasks: list[str] | None) -> list[str]:
    """Patterns may be repeated and joined by commas."""
    return [part for item in tasks or () for part in item.split(",")]
