"""``debug-gym openenv``: the gym as an environment of OpenEnv."""

import os
import shlex
import sys
from typing import Annotated, Literal

import typer
from rich.console import Console

from debug_gym.cli.app import app
from debug_gym.cli.options import (
    BenchmarkName,
    BenchmarkOptions,
    DataDir,
    RepoPath,
    Sandbox,
    TaskPatterns,
    TestCommand,
    benchmark_settings,
    split_patterns,
)
from debug_gym.env import DEFAULT_TOOLS
from debug_gym.errors import ConfigError


@app.command()
def openenv(
    benchmark: BenchmarkName,
    *,
    tasks: TaskPatterns = None,
    tools: Annotated[str | None, typer.Option(help="Tools: names joined by commas.")] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8000,
    limit: Annotated[int, typer.Option(min=1, help="Episodes at the same time.")] = 64,
    reward: Annotated[
        Literal["sparse", "dense"],
        typer.Option(help="The verdict at the end, or progress of the visible tests as well."),
    ] = "sparse",
    max_steps: Annotated[int, typer.Option(min=1, help="Tool calls in an episode.")] = 50,
    sandbox: Sandbox = "namespace",
    benchmark_options: BenchmarkOptions = None,
    data_dir: DataDir = None,
    path: RepoPath = None,
    test_command: TestCommand = None,
) -> None:
    """Serve episodes as an environment of OpenEnv, over HTTP and WebSockets.

    [cyan]debug-gym openenv nightmares[/]  at http://127.0.0.1:8000

    [cyan]DEBUG_GYM_OPENENV_TOKEN=... debug-gym openenv sprouts --host 0.0.0.0[/]  for other machines

    Needs the package [bold]openenv[/]. Exit codes: 0 told to stop, 2 wrong input.
    """
    try:
        from debug_gym.integrations.openenv import VARIABLE, serve
    except ModuleNotFoundError as error:
        command = f"{shlex.quote(sys.executable)} -m pip install openenv"
        raise ConfigError(f"{error.name} is not installed: run  {command}") from None
    from debug_gym.integrations.world import World

    world = World(
        benchmark=benchmark,
        options=benchmark_settings(benchmark_options, data_dir, path, test_command),
        tasks=tuple(split_patterns(tasks)),
        tools=tuple(tools.split(",")) if tools else DEFAULT_TOOLS,
        max_steps=max_steps,
        backend=sandbox,
        reward=reward,
    )
    Console(stderr=True).print(f"[dim]{len(world.environment().tasks)} task(s) of {benchmark} are served[/]")
    serve(world, host, port, limit, os.environ.get(VARIABLE) or None)
