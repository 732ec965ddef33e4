"""``debug-gym play``: a person plays a task in the terminal."""

import contextlib
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from debug_gym.cli.app import app
from debug_gym.cli.invoked import command
from debug_gym.cli.options import (
    BenchmarkOptions,
    DataDir,
    Problem,
    RepoPath,
    Sandbox,
    TestCommand,
    benchmark_settings,
)
from debug_gym.errors import ConfigError, DebugGymError, MissingExtraError

if TYPE_CHECKING:
    from debug_gym.runs.plan import Plan
    from debug_gym.session import Attempt
    from debug_gym.store.writer import RunWriter
    from debug_gym.terminal.game import Game

DEFAULT = "nightmares"
"""The benchmark of tasks that are named without one."""


def _complete(incomplete: str) -> list[str]:
    """Benchmarks, and the tasks of the one that is named or meant."""
    from debug_gym import plugins
    from debug_gym.runs.plan import make_benchmark

    benchmark, slash, _ = incomplete.rpartition("/")
    try:
        tasks = list(make_benchmark(benchmark or DEFAULT, {}).tasks)
    except DebugGymError:  # it needs options
        tasks = []
    names = [benchmark + slash + task for task in tasks]
    return [name for name in [*names, *plugins.names("benchmarks")] if name.startswith(incomplete)]


@app.command()
def play(
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK|BENCHMARK[/TASK]",
            help=f"A task of [bold]{DEFAULT}[/], one of another benchmark, or a benchmark: "
            "the first task of it that was not played.",
            autocompletion=_complete,
        ),
    ],
    *,
    tools: Annotated[str | None, typer.Option(help="Your tools: names joined by commas.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="Keep the attempt in a run in this folder, for reports.")
    ] = None,
    name: Annotated[str, typer.Option(help="Who plays: the name in the kept run.")] = "human",
    max_steps: Annotated[int, typer.Option(help="Calls in an attempt.")] = 500,
    time_limit: Annotated[float, typer.Option(help="Seconds for an attempt.")] = 14400.0,
    theme: Annotated[
        str, typer.Option(help="Colours: textual-dark, textual-light, nord, gruvbox, ...")
    ] = "textual-dark",
    sandbox: Sandbox = "namespace",
    benchmark_options: BenchmarkOptions = None,
    data_dir: DataDir = None,
    path: RepoPath = None,
    test_command: TestCommand = None,
    problem: Problem = None,
) -> None:
    """Play a task yourself, with the tools and the judge of the agents.

    [cyan]debug-gym play meter-days[/]

    [cyan]debug-gym play nightmares --output runs/me --name me[/]  the next task; a run on the leaderboard

    [cyan]debug-gym play repo --path .[/]  your own repository: what you get is the patch

    Needs the extra [bold]play[/]. Exit codes: 0 the attempt was judged, 1 it was left before,
    2 wrong input.
    """
    if find_spec("textual") is None:
        raise MissingExtraError("textual", "play")
    from debug_gym.cli.screens.repository import look_at
    from debug_gym.runs.config import load_config
    from debug_gym.runs.plan import prepare
    from debug_gym.store.writer import RunWriter
    from debug_gym.terminal.app import PlayApp
    from debug_gym.terminal.game import Game

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError("debug-gym play needs a terminal; for programs there are run and mcp")
    benchmark, wanted = _split(task)
    with contextlib.ExitStack() as stack:
        folder = output or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="debug-gym-")))
        named = {
            "benchmark": benchmark,
            "benchmark_options": benchmark_settings(benchmark_options, data_dir, path, test_command, problem),
            "agent": name,
            "tools": tools,
            "max_steps": max_steps,
            "time_limit": time_limit,
            "sandbox": sandbox,
            "output": folder,
        }
        console = Console(stderr=True)
        with console.status("starting the sandbox"):
            plan = prepare(load_config((), named), driven=True)
            look_at(console, plan)
            writer = stack.enter_context(RunWriter.begin(folder, plan.manifest(), inert=plan.config.INERT))
            stack.callback(writer.write_predictions)
            attempt = _choose(plan, writer, wanted)
            game = Game(plan.session(attempt, writer.episode(*attempt.key), idle=time_limit))
        farewell = (
            f"{command()} report {output} shows the attempt."
            if output
            else "This attempt is not kept: --output FOLDER does that."
        )
        PlayApp(game, farewell=farewell, theme=theme).run()
        raise typer.Exit(_tell(console, game, farewell, kept=output is not None))


def _split(task: str) -> tuple[str, str | None]:
    """The benchmark and the task that are meant."""
    from debug_gym import plugins

    benchmark, slash, wanted = task.partition("/")
    if slash:
        return benchmark, wanted
    return (task, None) if task in plugins.names("benchmarks") else (DEFAULT, task)


def _choose(plan: "Plan", writer: "RunWriter", task: str | None) -> "Attempt":
    """The attempt at this task; without a name, the first that was not played.

    Raises:
        UnknownNameError: there is no such task.
        ConfigError: it was played before, in this folder.
    """
    if task is not None:
        plan.benchmark.task(task)
    played = {result.key for result in writer.run.results()}
    for attempt in plan.attempts():
        if task in {None, attempt.task.id} and attempt.key not in played:
            return attempt
    what = f"{task} was" if task else "all tasks were"
    raise ConfigError(f"{what} played in {writer.run.path}: name another folder as --output")


def _tell(console: Console, game: "Game", farewell: str, *, kept: bool) -> int:
    """What stays on the terminal; gives the exit code."""
    from debug_gym.terminal.render import verdict

    if game.result is None:
        game.abandon()
        console.print("[yellow]left without a verdict[/]")
        return 1
    end = game.end
    patch = end.patch if end is not None else ""
    console.print(verdict(game.result, game.verdict, ""))
    if patch and not kept:
        Console().print(Text(patch), soft_wrap=True)
    console.print(Text(farewell, "dim"), soft_wrap=True)
    return 0
