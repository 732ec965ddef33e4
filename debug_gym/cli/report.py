"""``debug-gym report``: runs as one page for the browser."""

from pathlib import Path
from typing import Annotated

import typer

from debug_gym.cli.app import app

RunFolders = Annotated[
    list[Path], typer.Argument(metavar="RUN...", help="Folders of runs, or folders that hold some.")
]


@app.command()
def report(
    runs: RunFolders,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The page to write.")] = Path(
        "report.html"
    ),
) -> None:
    """Write one HTML file with leaderboards, figures, and every step of every episode.

    It needs no server and no network: open it, mail it, keep it. Unfinished runs are shown as they stand. A
    folder that debug-gym validate has made gives a page about the quality of a benchmark.

    [cyan]debug-gym report runs[/]  all runs in a folder

    [cyan]debug-gym report runs/nightmares-repair runs/nightmares-llm-gpt-5 -o compared.html[/]
    """
    from debug_gym.cli.screens.summary import count
    from debug_gym.report.load import load
    from debug_gym.report.page import write
    from debug_gym.report.quality import find_validations, qualities

    records = find_validations(runs)
    entries = load(runs, demand=not records)
    write(entries, output, qualities(records, entries))
    also = f" and {count(len(records), 'validation')}" if records else ""
    typer.echo(f"{count(len(entries), 'run')}{also} in {output}")
