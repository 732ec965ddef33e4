"""``debug-gym run``: an agent plays a benchmark."""

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from debug_gym.cli.app import app
from debug_gym.cli.options import (
    BenchmarkOptions,
    DataDir,
    Limit,
    Problem,
    RepoPath,
    Shuffle,
    Split,
    TaskPatterns,
    TestCommand,
    benchmark_settings,
    complete,
)

if TYPE_CHECKING:
    from debug_gym.runs.config import RunConfig

LOCAL = "A model that runs here (--provider local)"
LOCAL_OPTIONS = ("provider", "library", "router", "knowledge")
"""Options of the model that have a name of their own here."""
NO_SETTINGS = ("config", "data_dir", "path", "test_command", "problem", *LOCAL_OPTIONS)
"""Options that are no settings of a run of their own: they make some."""


@app.command()
def run(
    context: typer.Context,
    benchmark: Annotated[
        str | None,
        typer.Argument(
            help="Name of a benchmark (see debug-gym list), or the path of a folder that is one.",
            autocompletion=complete("benchmarks"),
        ),
    ] = None,
    *,
    agent: Annotated[
        str | None,
        typer.Option(
            "--agent",
            "-a",
            help="Who plays. [dim]\\[default: of a folder, repair, with a model llm][/]",
            autocompletion=complete("agents"),
        ),
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
    data_dir: DataDir = None,
    path: RepoPath = None,
    test_command: TestCommand = None,
    problem: Problem = None,
    provider: Annotated[
        str | None,
        typer.Option(
            help="How the model is asked. [dim]\\[default: openai][/]",
            rich_help_panel=LOCAL,
            autocompletion=complete("models"),
        ),
    ] = None,
    library: Annotated[
        str | None,
        typer.Option(help="Its LoRA experts: a folder, or hf://owner/name.", rich_help_panel=LOCAL),
    ] = None,
    router: Annotated[
        str | None, typer.Option(help="What chooses among them, or one's name.", rich_help_panel=LOCAL)
    ] = None,
    knowledge: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="What it knows of the repository: made by debug-gym learn.",
            rich_help_panel=LOCAL,
        ),
    ] = None,
) -> None:
    """Let an agent play a benchmark; the same command again [bold]resumes[/].

    [cyan]debug-gym run nightmares --agent repair[/]

    [cyan]debug-gym run nightmares --agent llm --model gpt-5 --tasks 'meter*' --attempts 3[/]

    [cyan]debug-gym run nightmares -a llm -m qwen3 --base-url http://localhost:8000/v1[/]

    [cyan]debug-gym run nightmares -a llm -m ./my-model --provider local --library ./experts --router arrow[/]

    [cyan]debug-gym run repo --path . --test-command "python -m pytest -q" --problem "dates are off by one"[/]

    [cyan]debug-gym run --config night.yaml -c max_steps=20 --ray auto[/]

    Exit codes: 0 all attempts were judged, resolved or not; 1 some ended in an infrastructure error,
    which the same command retries; 2 wrong input; 130 interrupted by Ctrl-C.
    """
    from debug_gym.runs.config import load_config, parse_options
    from debug_gym.runs.plan import is_folder

    # What the options are called is what the settings are called: debug_gym.runs.config.RunConfig.
    settings = {name: value for name, value in context.params.items() if name not in NO_SETTINGS}
    settings["benchmark_options"] = benchmark_settings(
        benchmark_options, data_dir, path, test_command, problem
    )
    local = {name: value for name in LOCAL_OPTIONS if (value := context.params[name]) is not None}
    settings["agent_options"] = parse_options(agent_options or (), "--agent-option") | local
    if agent is None and config is None and benchmark is not None and is_folder(benchmark):
        settings["agent"] = "repair" if model is None else "llm"
    raise typer.Exit(_run(load_config(config or (), settings)))


def _run(config: "RunConfig") -> int:
    """Play, show, and give the exit code."""
    from debug_gym.cli.screens import repository
    from debug_gym.cli.screens.live import progress
    from debug_gym.cli.screens.progress import announced
    from debug_gym.cli.screens.summary import summarize
    from debug_gym.runs.plan import prepare
    from debug_gym.runs.scheduler import execute

    console = Console()
    with closing(prepare(config, starting=lambda: announced("starting the sandbox"))) as plan:
        if seen := repository.look_at(console, plan):
            repository.tell(console, seen)
            if console.is_terminal and sys.stdin.isatty():
                typer.confirm("Send them to the model's server all the same?", abort=True)
        with progress(console, config.attempts) as show:
            outcome = execute(plan, show)
    summarize(console, outcome)
    if outcome.interrupted:
        return 130
    return int(any(result.status == "error" for result in outcome.results))
