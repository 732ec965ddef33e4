"""``debug-gym init``: a task file for one's own repository."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from debug_gym.cli.app import app
from debug_gym.cli.options import Sandbox

SHOWN = 10
"""Failing tests that are listed."""


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="The repository's folder.")] = Path(),
    *,
    force: Annotated[bool, typer.Option(help="Write the file anew if there is one.")] = False,
    sandbox: Sandbox = "namespace",
) -> None:
    """Write a task file for your own repository; after that, [cyan]debug-gym run .[/] plays it.

    Finds out which Python and which test command fit, which tests fail, and which are unstable. Nothing but
    [bold]debug-gym.yaml[/] is written.

    Exit codes: 0 written, 2 its tests do not run.
    """
    from debug_gym.benchmarks.task_file import TASK_FILE
    from debug_gym.cli.screens.progress import announced
    from debug_gym.errors import ConfigError
    from debug_gym.mining.own import look, write
    from debug_gym.sandbox.registry import working_backend

    folder = path.expanduser().resolve()
    if (folder / TASK_FILE).exists() and not force:
        raise ConfigError(f"{folder / TASK_FILE} exists: --force writes it anew")
    backend = working_backend(sandbox)
    with announced(f"running the tests of {folder.name}"):
        found = look(folder, backend)
    file = write(folder, found, force=force)
    console = Console()
    console.print(Text(f"python        {found.python}"), soft_wrap=True)
    console.print(Text(f"test command  {found.command}"), soft_wrap=True)
    console.print(
        Text(f"tests         {found.passing} pass, {len(found.failing)} fail, in {found.seconds:.1f} s")
    )
    for test in found.failing[:SHOWN]:
        console.print(Text(f"  fails       {test}", "red"), soft_wrap=True)
    for test in found.unstable:
        console.print(Text(f"  unstable    {test}: does not count", "yellow"), soft_wrap=True)
    console.print(Text(f"written       {file}"), soft_wrap=True)
    if found.failing:
        console.print(Text(f"play it:  debug-gym run {path} --agent repair"), soft_wrap=True)
    else:
        console.print(
            Text("No test fails, so there is nothing to repair yet: write one that shows the bug."),
            soft_wrap=True,
        )
