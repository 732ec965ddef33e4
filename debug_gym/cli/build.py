"""``debug-gym build``: a benchmark of which only the recipe is shipped, made of the package index."""

from typing import Annotated

import typer
from rich.console import Console

from debug_gym.cli.app import app
from debug_gym.cli.options import TaskPatterns, chosen


@app.command()
def build(
    benchmark: Annotated[str, typer.Argument(help="pypi.")],
    *,
    tasks: TaskPatterns = None,
) -> None:
    """Make the tasks of [cyan]pypi[/] from the package index; the same command again [bold]resumes[/].

    [cyan]debug-gym build pypi[/]

    Exit codes: 0 all are there, 1 the index does not give what the recipe names, 2 wrong input.
    """
    from debug_gym import plugins
    from debug_gym.benchmarks.pypi import Pypi, built_folder, read_recipe
    from debug_gym.cli.screens.progress import counted
    from debug_gym.errors import ConfigError
    from debug_gym.mining.rebuild import build

    loaded = plugins.make("benchmarks", benchmark, {})
    if not isinstance(loaded, Pypi):
        raise ConfigError(f"{benchmark} needs no building: only pypi does")
    names = list(chosen(loaded, tasks, None, None, None))
    made = 0
    with counted(f"building {benchmark}", len(names)) as tell:
        for name, new in build({name: read_recipe(name) for name in names}, built_folder()):
            made += new
            tell(f"{name} {'is made' if new else 'was there'}")
    said = f"{len(names)} tasks are there, {made} of them made now; to play:  debug-gym run {benchmark}"
    Console().print(said, highlight=False, soft_wrap=True)
