"""``debug-gym run``: an agent plays a benchmark."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from debug_gym.cli.app import app
from debug_gym.cli.options import BenchmarkOptions, Limit, Shuffle, Split, TaskPatterns, complete

if TYPE_CHECKING:
    from debug_gym.runs.config import RunConfig

OWN = "A repository of your own (benchmark repo)"


@app.command()
def run(
    benchmark: Annotated[
        str | None,
        typer.Argument(
            help="Name of a benchmark (see debug-gym list), or the path of a folder that is one.",
            autocompletion=complete("benchmarks"),
        ),
    ] = None,
    *,
    agent: Annotated[
        str | None, typer.Option("--agent", "-a", help="Who plays.", autocompletion=complete("agents"))
    ] = None,
    agent_options: Annotated[
        list[str] | None,
        typer.Option("--agent-option", "-o", metavar="KEY=VALUE", help="An option of the agent. Repeatable."),
    ] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="The model that the agent asks.")] = None,
    base_url: Annotated[str | None, typer.Option(help="Address of an OpenAI-compatible server.")] = None,
    tasks: TaskPatterns = None,
    split: Split = None,
    shuffle: Shuffle = None,
    limit: Limit = None,
    tools: Annotated[str | None, typer.Option(help="The agent's tools: names joined by commas.")] = None,
    mcp: Annotated[
        list[str] | None,
        typer.Option(metavar="URL|COMMAND", help="An MCP server whose tools it gets as well. Repeatable."),
    ] = None,
    max_steps: Annotated[
        int | None, typer.Option(help="Tool calls in an episode. [dim]\\[default: 50][/]")
    ] = None,
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds for an episode. [dim]\\[default: 1800][/]")
    ] = None,
    attempts: Annotated[
        int | None, typer.Option("--attempts", "-k", help="Tries at each task. [dim]\\[default: 1][/]")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Attempt i gets seed + i. [dim]\\[default: 0][/]")] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", "-w", help="Episodes at a time. [dim]\\[default: one a CPU, with a model eight][/]"
        ),
    ] = None,
    processes: Annotated[
        int | None, typer.Option(help="Spread the workers over so many processes. [dim]\\[default: 1][/]")
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="auto|local|ADDRESS", help="Play on a Ray cluster; needs the extra [bold]ray[/]."
        ),
    ] = None,
    sandbox: Annotated[
        str | None,
        typer.Option(
            help="Where the code runs. [dim]\\[default: namespace][/]", autocompletion=complete("sandboxes")
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="The run's folder. [dim]\\[default: runs/BENCHMARK-AGENT\\[-MODEL]][/]"),
    ] = None,
    config: Annotated[
        list[str] | None,
        typer.Option(
            "--config",
            "-c",
            metavar="FILE|KEY=VALUE",
            help="A YAML file, or one setting such as agent_options.window=10. Repeatable; a later one wins, "
            "and named options win over all.",
        ),
    ] = None,
    benchmark_options: BenchmarkOptions = None,
    path: Annotated[str | None, typer.Option(help="The folder.", rich_help_panel=OWN)] = None,
    test_command: Annotated[
        str | None,
        typer.Option(help="How it is tested. [dim]\\[default: python -m pytest][/]", rich_help_panel=OWN),
    ] = None,
    problem: Annotated[str | None, typer.Option(help="What is wrong.", rich_help_panel=OWN)] = None,
) -> None:
    """Let an agent play a benchmark; the same command again [bold]resumes[/].

    [cyan]debug-gym run nightmares --agent repair[/]

    [cyan]debug-gym run nightmares --agent llm --model gpt-5 --tasks 'meter*' --attempts 3[/]

    [cyan]debug-gym run nightmares -a llm -m qwen3 --base-url http://localhost:8000/v1[/]

    [cyan]debug-gym run repo --path . --test-command "python -m pytest -q" --problem "dates are off by one"[/]

    [cyan]debug-gym run --config night.yaml -c max_steps=20 --ray auto[/]

    Exit codes: 0 all attempts were judged, resolved or not; 1 some ended in an infrastructure error,
    which the same command retries; 2 wrong input; 130 interrupted by Ctrl-C.
    """
    from debug_gym.runs.config import load_config, parse_options

    own = {"path": path, "test_command": test_command, "problem": problem}
    named = {
        "benchmark": benchmark,
        "benchmark_options": {
            **parse_options(benchmark_options or (), "--benchmark-option"),
            **{key: value for key, value in own.items() if value is not None},
        },
        "tasks": tasks,
        "split": split,
        "shuffle": shuffle,
        "limit": limit,
        "agent": agent,
        "agent_options": parse_options(agent_options or (), "--agent-option"),
        "model": model,
        "base_url": base_url,
        "tools": tools,
        "mcp": mcp,
        "max_steps": max_steps,
        "time_limit": time_limit,
        "attempts": attempts,
        "seed": seed,
        "workers": workers,
        "processes": processes,
        "ray": ray,
        "sandbox": sandbox,
        "output": output,
    }
    raise typer.Exit(_run(load_config(config or (), named)))


def _run(config: "RunConfig") -> int:
    """Play, show, and give the exit code."""
    from debug_gym.cli.screens.live import progress
    from debug_gym.cli.screens.summary import summarize
    from debug_gym.runners import runner_of
    from debug_gym.runs.plan import prepare
    from debug_gym.runs.scheduler import execute

    console = Console()
    with closing(prepare(config)) as plan:
        if hint := runner_of(plan.tasks.first.tests).hint:
            console.print(f"[dim]{hint[0].upper()}{hint[1:]}.[/]")
        with progress(console, config.attempts) as show:
            outcome = execute(plan, show)
    summarize(console, outcome)
    if outcome.interrupted:
        return 130
    return int(any(result.status == "error" for result in outcome.results))
