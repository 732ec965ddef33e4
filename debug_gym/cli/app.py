"""The typer application that every command joins."""

from typing import Annotated

import typer

from debug_gym.version import VERSION

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"debug-gym {VERSION}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """An interactive debugging gym: agents repair broken repositories with a real debugger.

    [bold]Start here[/]

    [cyan]debug-gym doctor[/]  which sandboxes work on this machine

    [cyan]debug-gym list[/]  benchmarks, agents, tools

    [cyan]debug-gym run nightmares --agent repair[/]  a whole run that needs no model

    Exit codes: 0 done, 1 something failed that is not the agent's doing, 2 wrong input, 130 interrupted.
    """
