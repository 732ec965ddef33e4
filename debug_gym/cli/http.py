"""``debug-gym http``: the gym for trainers in other processes and languages."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from debug_gym.addresses import demand_secret
from debug_gym.cli.app import app
from debug_gym.cli.mcp import MANY
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


@app.command()
def http(
    benchmark: BenchmarkName,
    *,
    tasks: TaskPatterns = None,
    tools: Annotated[str | None, typer.Option(help="Tools: names joined by commas.")] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8765,
    limit: Annotated[
        int, typer.Option(min=1, help="Sessions at the same time; a client that wants more gets status 429.")
    ] = 256,
    lease: Annotated[
        float, typer.Option(min=0.1, help="Seconds without a call after which a session is closed.")
    ] = 600.0,
    workers: Annotated[int, typer.Option(min=1, help="Calls that are played at the same time.")] = 32,
    reward: Annotated[
        Literal["sparse", "dense"],
        typer.Option(help="The verdict at the end, or progress of the visible tests as well."),
    ] = "sparse",
    max_steps: Annotated[int, typer.Option(min=1, help="Tool calls in an episode.")] = 50,
    time_limit: Annotated[float, typer.Option(help="Seconds for an episode.")] = 1800.0,
    output: Annotated[
        Path | None, typer.Option(help="Keep the episodes that are judged as a run in this folder.")
    ] = None,
    name: Annotated[str, typer.Option(help="Who plays: the agent's name in the kept run.")] = "http",
    sandbox: Sandbox = "namespace",
    benchmark_options: BenchmarkOptions = None,
    data_dir: DataDir = None,
    path: RepoPath = None,
    test_command: TestCommand = None,
    problem: Problem = None,
) -> None:
    """Serve episodes over HTTP and JSON, for trainers in other processes and languages.

    [cyan]debug-gym http nightmares[/]  at http://127.0.0.1:8765

    [cyan]DEBUG_GYM_HTTP_TOKEN=... debug-gym http sprouts --host 0.0.0.0[/]  for other machines

    Sessions are opened, stepped, forked and closed; [bold]debug_gym.integrations.http.client.RemoteEnv[/] is
    a gymnasium environment on them. Needs the extra [bold]http[/]. Exit codes: 0 told to stop, 2 wrong input.
    """
    try:
        from debug_gym.integrations.http.app import VARIABLE, serve
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "fastapi", "http") from None
    from debug_gym.cli.screens.repository import look_at
    from debug_gym.integrations.http.sessions import Sessions
    from debug_gym.runs.config import load_config
    from debug_gym.runs.plan import prepare
    from debug_gym.store.writer import RunWriter

    token = os.environ.get(VARIABLE) or None
    demand_secret(host, token, VARIABLE, used="the sandboxes", sent="a bearer token")
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
            "attempts": MANY,
            "sandbox": sandbox,
            "output": folder,
        }
        plan = prepare(load_config((), named), driven=True)
        writer = None
        if output is not None:
            writer = stack.enter_context(RunWriter.begin(output, plan.manifest(), inert=plan.config.INERT))
            stack.callback(writer.write_predictions)
        sessions = Sessions(plan, writer, limit=limit, lease=lease, reward=reward)
        console = Console(stderr=True)
        look_at(console, plan)
        console.print(f"[dim]{len(plan.tasks)} task(s) of {benchmark} are served[/]")
        serve(sessions, host, port, token, workers)
