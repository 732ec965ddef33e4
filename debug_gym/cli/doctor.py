"""``debug-gym doctor``: which sandboxes work here?"""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from debug_gym.cli.app import app
from debug_gym.cli.options import AsJson


@app.command()
def doctor(
    *,
    clean: Annotated[
        bool,
        typer.Option("--clean", help="Remove containers and pods of gyms on this machine that have ended."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Try every sandbox on this machine: does it work, and what does it promise?

    Exit codes: 0 a sandbox that isolates works, 1 none does, 2 there is nobody to ask what to clean.
    """
    from debug_gym.checks.doctor import isolating, probe_all
    from debug_gym.cli.screens.doctor import show

    console = Console(stderr=as_json)
    if clean:
        from debug_gym.checks.doctor import clean_all

        cleaned = clean_all()
        for what, number in cleaned.items():
            said = f"{what} removed: {number}" if isinstance(number, int) else f"{what}: {number}"
            console.print(said, highlight=False, markup=False)
        if not any(isinstance(number, int) for number in cleaned.values()):
            raise typer.Exit(2)
    probes = probe_all()
    if as_json:
        typer.echo(json.dumps({name: asdict(probe) for name, probe in probes.items()}, indent=2))
    else:
        show(console, probes)
    raise typer.Exit(int(not isolating(probes)))
