"""The ``debug-gym`` command: thin, so that everything it does can be done from Python as well."""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from debug_gym import plugins
from debug_gym.errors import DebugGymError, UnknownNameError

if TYPE_CHECKING:
    from debug_gym.runs.config import RunConfig

KINDS = ("benchmarks", "agents", "models", "tools", "sandboxes")

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _names(group: str) -> Callable[[str], list[str]]:
    """Shell completion for the names of a plugin group."""
    return lambda incomplete: [name for name in plugins.names(group) if name.startswith(incomplete)]


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"debug-gym {version('debug-gym')}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """An interactive debugging gym: agents repair broken repositories with a real debugger.

    [bold]Start here[/]

    [cyan]debug-gym doctor[/]  which sandboxes work on this machine

    [cyan]debug-gym list[/]  benchmarks, agents, tools

    [cyan]debug-gym run nightmares --agent repair[/]  a whole run that needs no model

    Exit codes: 0 done, 1 something failed that is not the agent's doing, 2 wrong input, 130 interrupted.
    """


BenchmarkOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--benchmark-option", "-b", metavar="KEY=VALUE", help="An option of the benchmark. Repeatable."
    ),
]
TaskPatterns = Annotated[
    list[str] | None,
    typer.Option("--tasks", "-t", metavar="ID|GLOB", help="Only these tasks, e.g. 'ledger*'. Repeatable."),
]
OWN = "A repository of your own (benchmark repo)"


@app.command()
def run(
    benchmark: Annotated[
        str | None,
        typer.Argument(help="Name of a benchmark; see debug-gym list.", autocompletion=_names("benchmarks")),
    ] = None,
    *,
    agent: Annotated[
        str | None, typer.Option("--agent", "-a", help="Who plays.", autocompletion=_names("agents"))
    ] = None,
    agent_options: Annotated[
        list[str] | None,
        typer.Option("--agent-option", "-o", metavar="KEY=VALUE", help="An option of the agent. Repeatable."),
    ] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="The model that the agent asks.")] = None,
    base_url: Annotated[str | None, typer.Option(help="Address of an OpenAI-compatible server.")] = None,
    tasks: TaskPatterns = None,
    tools: Annotated[str | None, typer.Option(help="The agent's tools: names joined by commas.")] = None,
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
        int | None, typer.Option("--workers", "-w", help="Episodes at a time. [dim]\\[default: one a CPU][/]")
    ] = None,
    sandbox: Annotated[
        str | None,
        typer.Option(
            help="Where the code runs. [dim]\\[default: namespace][/]", autocompletion=_names("sandboxes")
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

    [cyan]debug-gym run nightmares --agent llm --model gpt-5 --tasks 'ledger*' --attempts 3[/]

    [cyan]debug-gym run nightmares -a llm -m qwen3 --base-url http://localhost:8000/v1[/]

    [cyan]debug-gym run repo --path . --test-command "python -m pytest -q" --problem "dates are off by one"[/]

    [cyan]debug-gym run --config night.yaml -c max_steps=20[/]

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
        "agent": agent,
        "agent_options": parse_options(agent_options or (), "--agent-option"),
        "model": model,
        "base_url": base_url,
        "tools": tools,
        "max_steps": max_steps,
        "time_limit": time_limit,
        "attempts": attempts,
        "seed": seed,
        "workers": workers,
        "sandbox": sandbox,
        "output": output,
    }
    raise typer.Exit(_run(load_config(config or (), named)))


def _run(config: "RunConfig") -> int:
    """Play, show, and give the exit code."""
    from debug_gym.runs.live import progress
    from debug_gym.runs.plan import prepare
    from debug_gym.runs.scheduler import execute
    from debug_gym.runs.summary import summarize

    console = Console()
    plan = prepare(config)
    with progress(console, config.attempts) as show:
        outcome = execute(plan, show)
    summarize(console, outcome)
    if outcome.interrupted:
        return 130
    return int(any(result.status == "error" for result in outcome.results))


@app.command("list")
def list_(
    what: Annotated[
        str | None,
        typer.Argument(
            help=f"One of {', '.join(KINDS)}, or the name of a benchmark, to list its tasks.",
            autocompletion=lambda incomplete: [
                name for name in (*KINDS, *plugins.names("benchmarks")) if name.startswith(incomplete)
            ],
        ),
    ] = None,
    benchmark_options: BenchmarkOptions = None,
) -> None:
    """Show what there is. Columns are separated by tabs when the output is not a terminal.

    [cyan]debug-gym list[/]  everything

    [cyan]debug-gym list agents[/]

    [cyan]debug-gym list nightmares[/]  the tasks of a benchmark

    [cyan]debug-gym list repo -b path=.[/]
    """
    from debug_gym.runs.catalogue import plugin_rows, task_rows

    if what is None or what in KINDS:
        for kind in KINDS if what is None else (what,):
            _print_rows(("kind", "name", "description"), plugin_rows(kind))
        return
    if what not in plugins.names("benchmarks"):
        raise UnknownNameError("benchmark or kind", what, (*KINDS, *plugins.names("benchmarks")))
    from debug_gym.runs.config import parse_options
    from debug_gym.runs.plan import make_benchmark

    benchmark = make_benchmark(what, parse_options(benchmark_options or (), "--benchmark-option"))
    _print_rows(("task", "category", "problem"), task_rows(benchmark))


def _print_rows(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table for people; tab-separated lines for programs."""
    console = Console()
    if not console.is_terminal:
        for row in rows:
            typer.echo("\t".join(row))
        return
    table = Table(header_style="bold", show_edge=False, pad_edge=False, box=None, padding=(0, 2, 0, 0))
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*[Text(cell) for cell in row])
    console.print(table, "")


@app.command()
def validate(
    benchmark: Annotated[
        str, typer.Argument(help="Name of a benchmark.", autocompletion=_names("benchmarks"))
    ],
    *,
    tasks: TaskPatterns = None,
    repeats: Annotated[int, typer.Option(min=1, help="How often the gold patch must be judged a fix.")] = 5,
    workers: Annotated[int | None, typer.Option("--workers", "-w", min=1, help="Tasks at a time.")] = None,
    sandbox: Annotated[str, typer.Option(autocompletion=_names("sandboxes"))] = "namespace",
    search: Annotated[
        bool, typer.Option(help="Search all that an agent can read for the answers: about a minute.")
    ] = False,
    make_twins: Annotated[
        bool,
        typer.Option("--write-twins", help="First make the negative controls anew and store them."),
    ] = False,
    benchmark_options: BenchmarkOptions = None,
) -> None:
    """Prove that tasks are sound: they fail before the gold patch and pass after it, repeatedly.

    [cyan]debug-gym validate nightmares --search[/]

    [cyan]debug-gym validate repo -b path=. -b gold_patch=fix.diff --repeats 20[/]

    Exit codes: 0 all tasks are sound, 1 some are not, 2 wrong input.
    """
    from debug_gym.runs.config import parse_options
    from debug_gym.runs.plan import make_backend, make_benchmark, select
    from debug_gym.runs.validate import show, validate_all, write_twins

    console = Console()
    options = parse_options(benchmark_options or (), "--benchmark-option")
    loaded = make_benchmark(benchmark, options)
    chosen = select(loaded, _patterns(tasks))
    backend = make_backend(sandbox)
    with console.status("") as status:
        if make_twins:
            write_twins(loaded, chosen, backend)
            chosen = select(make_benchmark(benchmark, options), _patterns(tasks))
        found = validate_all(
            chosen,
            backend,
            repeats=repeats,
            workers=workers or os.cpu_count() or 1,
            search=search,
            on_done=lambda item: status.update(f"{item.task}: {'sound' if item.sound else 'not sound'}"),
        )
    show(console, found, repeats=repeats)
    raise typer.Exit(int(not all(item.sound for item in found)))


def _patterns(tasks: list[str] | None) -> list[str]:
    return [part for item in tasks or () for part in item.split(",")]


@app.command()
def audit(
    benchmark: Annotated[
        str, typer.Argument(help="Name of a benchmark.", autocompletion=_names("benchmarks"))
    ],
    *,
    tasks: TaskPatterns = None,
    workers: Annotated[int | None, typer.Option("--workers", "-w", min=1, help="Attacks at a time.")] = None,
    sandbox: Annotated[str, typer.Option(autocompletion=_names("sandboxes"))] = "namespace",
    benchmark_options: BenchmarkOptions = None,
) -> None:
    """Try every known way to cheat on a benchmark, and show which harness would have fallen for it.

    [cyan]debug-gym audit nightmares --tasks meter-days[/]

    [cyan]debug-gym audit repo -b path=.[/]

    Exit codes: 0 the judge stopped all attacks, 1 some score, 2 wrong input.
    """
    from debug_gym.runs.audit import audit as try_all
    from debug_gym.runs.audit import show
    from debug_gym.runs.config import parse_options
    from debug_gym.runs.plan import make_backend, make_benchmark, select

    console = Console()
    loaded = make_benchmark(benchmark, parse_options(benchmark_options or (), "--benchmark-option"))
    chosen = select(loaded, _patterns(tasks))
    with console.status("") as status:
        attempts = try_all(
            chosen,
            make_backend(sandbox),
            workers=workers or os.cpu_count() or 1,
            on_done=lambda attempt: status.update(f"{attempt.task}: {attempt.attack}"),
        )
    show(console, attempts, tasks=len(chosen))
    raise typer.Exit(int(any(attempt.scored[-1] for attempt in attempts)))


@app.command()
def doctor() -> None:
    """Try every sandbox on this machine: does it work, and what does it promise?

    Exit codes: 0 a sandbox that isolates works, 1 none does.
    """
    from debug_gym.runs.doctor import isolating, probe_all, show

    probes = probe_all()
    show(Console(), probes)
    raise typer.Exit(int(not isolating(probes)))


def main() -> None:
    """Entry point: what is wrong with the input is one sentence on stderr and exit code 2."""
    try:
        app(prog_name="debug-gym")
    except DebugGymError as error:
        Console(stderr=True).print(Text(f"error: {error}", style="red"), soft_wrap=True)
        sys.exit(2)
