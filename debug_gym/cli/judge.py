"""``debug-gym judge``: a verdict about what somebody left in a folder."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from debug_gym.cli.app import app
from debug_gym.cli.options import AsJson, BenchmarkName, BenchmarkOptions, Sandbox, benchmark_settings


@app.command()
def judge(
    benchmark: BenchmarkName,
    task: Annotated[str, typer.Argument(help="Id of the task.")],
    workspace: Annotated[Path, typer.Argument(help="The changed copy of its repository.")],
    *,
    python: Annotated[
        str | None,
        typer.Option(help="An interpreter that has all packages of the task, in place of the task's own."),
    ] = None,
    reward: Annotated[
        Path | None, typer.Option(help="Write 1 or 0 into this file, as Harbor's verifiers do.")
    ] = None,
    sandbox: Sandbox = "namespace",
    benchmark_options: BenchmarkOptions = None,
    as_json: AsJson = False,
) -> None:
    """Judge a folder in which a task was worked on, whoever did that.

    [cyan]debug-gym judge nightmares config_lost ./my-copy[/]

    Exit codes: 0 resolved, 1 not resolved, or this machine fails, 2 wrong input.
    """
    from debug_gym.checks.workspace import judge_folder
    from debug_gym.runs.plan import make_benchmark
    from debug_gym.sandbox.registry import working_backend
    from debug_gym.task import Environment

    found = make_benchmark(benchmark, benchmark_settings(benchmark_options)).task(task)
    if python is not None:
        said = {**dict(found.environment), "python": python, "requirements": ()}
        found = found.model_copy(update={"environment": Environment.model_validate(said)})
    verdict = judge_folder(workspace, found, working_backend(sandbox))
    if reward is not None:
        reward.parent.mkdir(parents=True, exist_ok=True)
        reward.write_text(f"{int(verdict.resolved)}\n", encoding="utf-8")
    if as_json:
        typer.echo(verdict.model_dump_json(indent=1))
    else:
        said_of = "is resolved" if verdict.resolved else f"is not resolved: {verdict.reason}"
        console = Console()
        for line in (f"{task} {said_of}", *verdict.cheating, *verdict.rejected):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(int(not verdict.resolved))
