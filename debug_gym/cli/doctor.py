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
        bool, typer.Option("--clean", help="Remove containers of gyms on this machine that have ended.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Try every sandbox on this machine: does it work, and what does it promise?

    Exit codes: 0 a sandbox that isolates works, 1 none does, 2 there is no Docker daemon to clean.
    """
    from debug_gym.checks.doctor import isolating, probe_all
    from debug_gym.cli.screens.doctor import show

    console = Console(stderr=as_json)
    if clean:
        from debug_gym.sandbox.docker.daemon import connect
        from debug_gym.sandbox.docker.orphans import remove_orphans

        client = connect()
        console.print(f"containers removed: {remove_orphans(client)}", highlight=False)
        client.close()
    probes = probe_all()
    if as_json:
        typer.echo(json.dumps({name: asdict(probe) for name, probe in probes.items()}, indent=2))
    else:
        show(console, probes)
    raise typer.Exit(int(not isolating(probes)))
