"""``python -m debug_gym.benchmarks.bugsinpy``: make the virtual environments of some tasks."""

from pathlib import Path
from typing import Annotated

import typer

from debug_gym.benchmarks.bugsinpy import BugsInPy, environments_folder
from debug_gym.benchmarks.bugsinpy.environments import make_environment
from debug_gym.benchmarks.select import select
from debug_gym.errors import DebugGymError

app = typer.Typer(add_completion=False)


@app.command()
def main(
    tasks: Annotated[list[str], typer.Argument(help="Ids or globs, such as 'black-*'.")],
    *,
    environments: Annotated[Path | None, typer.Option(help="Where; the cache folder if not said.")] = None,
    pythons: Annotated[
        list[Path] | None, typer.Option(help="A folder of Python installations, such as ~/.pyenv/versions.")
    ] = None,
    also: Annotated[
        list[str] | None, typer.Option(help="A package that the bugs' lists forget. Repeatable.")
    ] = None,
    repositories: Annotated[
        Path | None, typer.Option(help="A folder with clones of the projects, in place of GitHub.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="A copy of BugsInPy's repository.")] = None,
) -> None:
    """Make the virtual environments that the tests of these tasks need, unless they are there."""
    folder = environments or environments_folder()
    folder.mkdir(parents=True, exist_ok=True)
    broken = False
    try:
        benchmark = BugsInPy(data_dir=data_dir, repositories=repositories)
        for name in select(benchmark, tasks).ids:
            if (folder / name).exists():
                continue
            try:
                bug = benchmark.bug(name)
                failed = make_environment(bug, benchmark.url(bug), folder / name, pythons or (), also or ())
            except DebugGymError as error:
                typer.echo(f"{name}: {error}", err=True)
                broken = True
                continue
            typer.echo(f"{folder / name}" + (f", without {', '.join(failed)}" if failed else ""))
    except DebugGymError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    raise typer.Exit(int(broken))


if __name__ == "__main__":
    app()
