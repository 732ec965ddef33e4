"""``debug-gym leaderboard``: runs compared, in the terminal or for programs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from debug_gym.cli.app import app


class Format(StrEnum):
    """How a leaderboard is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    MARKDOWN = "markdown"


@app.command()
def leaderboard(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Folders of runs, or that hold some; for --site, bundles."),
    ],
    *,
    form: Annotated[Format, typer.Option("--format", "-f", help="How to print it.")] = Format.TABLE,
    compare: Annotated[
        bool,
        typer.Option("--compare", help="And each two runs by a paired bootstrap over tasks. Not in CSV."),
    ] = False,
    site: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write a site of bundles into this folder, in place of a table."),
    ] = None,
    title: Annotated[str, typer.Option(help="Of the site.")] = "Leaderboard",
) -> None:
    """Compare runs, a table for each benchmark: rates with confidence intervals, costs, steps, time.

    Attempts that ended in an infrastructure error count neither for nor against a run.

    [cyan]debug-gym leaderboard runs[/]  all runs in a folder

    [cyan]debug-gym leaderboard runs --compare[/]  which differences are more than chance

    [cyan]debug-gym leaderboard runs --format csv > all.csv[/]

    [cyan]debug-gym leaderboard bundles/*.zip --site site[/]  pages of what debug-gym submit-pack has made
    """
    if site is not None:
        _write_site(runs, site, title)
        return
    from debug_gym.report import tables
    from debug_gym.report.leaderboard import boards
    from debug_gym.report.load import load

    found = boards(load(runs))
    match form:
        case Format.TABLE:
            console = Console()
            tables.as_table(console if console.is_terminal else Console(width=160), found, compare=compare)
        case Format.CSV:
            typer.echo(tables.as_csv(found), nl=False)
        case Format.JSON:
            typer.echo(tables.as_json(found, compare=compare), nl=False)
        case Format.MARKDOWN:
            typer.echo(tables.as_markdown(found, compare=compare), nl=False)


def _write_site(bundles: list[Path], folder: Path, title: str) -> None:
    from debug_gym.report.site import write_site
    from debug_gym.report.submissions import submissions

    with submissions(bundles) as found:
        write_site(found, folder, title=title)
        count = len(found)
    typer.echo(f"{count} {'bundle' if count == 1 else 'bundles'} in {folder / 'index.html'}")
