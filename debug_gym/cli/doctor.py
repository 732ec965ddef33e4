"""``debug-gym doctor``: which sandboxes work here?"""

import typer
from rich.console import Console

from debug_gym.cli.app import app


@app.command()
def doctor() -> None:
    """Try every sandbox on this machine: does it work, and what does it promise?

    Exit codes: 0 a sandbox that isolates works, 1 none does.
    """
    from debug_gym.checks.doctor import isolating, probe_all
    from debug_gym.cli.screens.doctor import show

    probes = probe_all()
    show(Console(), probes)
    raise typer.Exit(int(not isolating(probes)))
