"""``debug-gym mcp``: the gym for agent products."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from debug_gym.addresses import parse_address
from debug_gym.cli.app import app
from debug_gym.cli.options import (
    BenchmarkName,
    BenchmarkOptions,
    DataDir,
    Problem,
    RepoPath,
    Sandbox,
    TaskPatterns,
    TestCommand,
    benchmark_settings,
    split_patterns,
)
from debug_gym.errors import MissingExtraError

MANY = 1_000_000
"""Attempts at each task where nothing is kept."""


@app.command()
def mcp(
    benchmark: BenchmarkName,
    *,
    tasks: TaskPatterns = None,
    tools: Annotated[str | None, typer.Option(help="The client's tools: names joined by commas.")] = None,
    http: Annotated[
        str | None,
        typer.Option(
            metavar="[HOST:]PORT",
            help="Serve many clients at http://HOST:PORT/mcp, not one over stdio.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Keep the episodes as a run in this folder, for reports.")
    ] = None,
    name: Annotated[str, typer.Option(help="Who plays: the agent's name in the kept run.")] = "mcp",
    attempts: Annotated[
        int | None,
        typer.Option(
            "--attempts", "-k", help="Tries at each task. [dim]\\[default: 1 with --output, else no limit][/]"
        ),
    ] = None,
    max_steps: Annotated[int, typer.Option(help="Tool calls in an episode.")] = 200,
    time_limit: Annotated[float, typer.Option(help="Seconds for an episode.")] = 14400.0,
    idle: Annotated[
        float, typer.Option(help="Seconds without a call after which an episode is judged as it stands.")
    ] = 3600.0,
    sandbox: Sandbox = "namespace",
    benchmark_options: BenchmarkOptions = None,
    data_dir: DataDir = None,
    path: RepoPath = None,
    test_command: TestCommand = None,
    problem: Problem = None,
) -> None:
    """Serve a benchmark's environment to agent products over the Model Context Protocol.

    [cyan]debug-gym mcp repo --path .[/]  for a client that starts its servers itself (stdio)

    [cyan]debug-gym mcp nightmares --output runs/my-product --name my-product[/]  a run on the leaderboard

    [cyan]debug-gym mcp nightmares --http 8765[/]  many clients at http://127.0.0.1:8765/mcp

    Needs the extra [bold]mcp[/]. Exit codes: 0 the client went away, 2 wrong input.
    """
    try:
        from debug_gym.integrations.mcp import serve_http, serve_stdio
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "mcp", "mcp") from None
    from debug_gym.cli.screens.repository import look_at
    from debug_gym.integrations.episodes import Episodes
    from debug_gym.runs.config import load_config
    from debug_gym.runs.plan import prepare
    from debug_gym.store.writer import RunWriter

    address = parse_address(http, "--http") if http is not None else None
    with contextlib.ExitStack() as stack:
        folder = output or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="debug-gym-")))
        named = {
            "benchmark": benchmark,
            "benchmark_options": benchmark_settings(benchmark_options, data_dir, path, test_command, problem),
            "tasks": split_patterns(tasks),
            "agent": name,
            "tools": tools,
            "max_steps": max_steps,
            "time_limit": time_limit,
            "attempts": attempts or (1 if output else MANY),
            "sandbox": sandbox,
            "output": folder,
        }
        plan = prepare(load_config((), named), driven=True)
        writer = stack.enter_context(RunWriter.begin(folder, plan.manifest(), inert=plan.config.INERT))
        stack.callback(writer.write_predictions)
        episodes = Episodes(plan, writer, named=address is not None, idle=idle)
        stack.callback(episodes.close)
        console = Console(stderr=True)
        look_at(console, plan)
        console.print(f"[dim]{len(plan.tasks)} task(s) of {benchmark} are served[/]")
        if address is None:
            serve_stdio(episodes)
        else:
            serve_http(episodes, *address, os.environ.get("DEBUG_GYM_MCP_TOKEN") or None)
