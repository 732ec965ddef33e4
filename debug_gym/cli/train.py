"""``debug-gym train``: models learn from stored episodes, and by playing."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from debug_gym.cli.app import app
from debug_gym.cli.export import Keep, LearnerOptions, LearnerTools, MaxCharacters, MaxSteps, Without, source
from debug_gym.cli.options import split_patterns

if TYPE_CHECKING:
    from rich.status import Status

    from debug_gym.training.learner import Learner
    from debug_gym.training.trainer import Progress

train = typer.Typer(no_args_is_help=True, help="Train models on episodes, and in the gym.")
app.add_typer(train, name="train")

Base = Annotated[
    str | None,
    typer.Option(help="The model to begin with: a folder, or a name on the Hub. Default: the library's."),
]
LibraryOption = Annotated[
    Path | None, typer.Option("--library", help="A folder of LoRA experts that gets the new one.")
]
Name = Annotated[str | None, typer.Option(help="The new expert's name.")]
Start = Annotated[str | None, typer.Option(help="An expert of the library to begin with.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-O", help="Train the whole model, into this folder.")
]
Replace = Annotated[bool, typer.Option("--replace", help="Overwrite what is there under that name.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", metavar="KEY=VALUE", help="A setting, see docs/training.md. Repeatable."),
]


@train.command()
def sft(
    *,
    runs: Annotated[
        list[Path], typer.Option("--from", help="A run, or a folder that holds some. Repeatable.")
    ],
    base: Base = None,
    library: LibraryOption = None,
    name: Name = None,
    start: Start = None,
    output: Output = None,
    replace: Replace = False,
    settings: Set = None,
    keep: Keep = None,
    max_steps: MaxSteps = None,
    max_characters: MaxCharacters = None,
    without: Without = None,
    agent_options: LearnerOptions = None,
    tools: LearnerTools = None,
) -> None:
    """Learn from the episodes of runs, whoever played them: what the agent said and called, nothing else.

    Which episodes are left out is decided as by [bold]export[/]. Killed and started again, it goes on.

    [cyan]debug-gym train sft --from runs/oracle --base ./my-model --library experts --name fixer[/]

    [cyan]debug-gym train sft --from runs --base ./tiny --output ./tiny-sft --set epochs=5 --set batch=16[/]
    """
    from debug_gym.runs.config import parse_options
    from debug_gym.training.settings import SFTSettings, checked

    chosen = checked(SFTSettings, parse_options(settings or (), "--set"))

    import_module("debug_gym.training.extra")  # first: it says what is not installed
    from debug_gym.training.learner import Goal, Learner
    from debug_gym.training.sft import sft as learn

    goal = Goal(library, name, output, start, replace)
    goal.check()
    found = source(
        runs,
        keep=keep,
        max_steps=max_steps,
        max_characters=max_characters,
        without=without,
        agent_options=agent_options,
        tools=tools,
    )
    episodes = list(found.conversations())
    typer.echo(found.sieve.summary(), err=True)
    with Learner(base, goal, chosen) as learner, Console(stderr=True).status("") as status:
        curve = learn(learner, episodes, chosen, on_progress=_teller(status))
        _keep(learner, f"{len(episodes)} episodes of {', '.join(map(str, runs))}", curve)


@train.command()
def grpo(
    benchmark: Annotated[
        str, typer.Argument(help="Name of a benchmark, or the path of a folder that is one.")
    ],
    *,
    base: Base = None,
    library: LibraryOption = None,
    name: Name = None,
    start: Start = None,
    output: Output = None,
    replace: Replace = False,
    settings: Set = None,
    tasks: Annotated[
        list[str] | None,
        typer.Option("--tasks", "-t", metavar="ID|GLOB", help="Only these tasks. Repeatable."),
    ] = None,
    split: Annotated[str | None, typer.Option(metavar="NAME", help="Only the tasks of this part.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only the first N of the tasks.")
    ] = None,
    benchmark_options: Annotated[
        list[str] | None,
        typer.Option("--benchmark-option", "-b", metavar="KEY=VALUE", help="An option of the benchmark."),
    ] = None,
    tools: Annotated[
        str, typer.Option("--tools", help="The tools that the model may call, joined by commas.")
    ] = "view,rewrite,eval,listdir,submit",
    agent_options: LearnerOptions = None,
    sandbox: Annotated[str, typer.Option(help="Where episodes are played.")] = "namespace",
) -> None:
    """Learn by playing (GRPO): of several tries at a task, those that the judge accepts become more likely.

    The tries at a task begin as forks of one episode. Killed and started again, it goes on.

    [cyan]debug-gym train grpo sprouts --split train --base ./tiny-sft --output ./tiny-grpo --set steps=50[/]

    [cyan]debug-gym train grpo sprouts --split train --library experts --start fixer --name fixer-grpo[/]
    """
    from debug_gym.agents.llm.settings import LLMSettings
    from debug_gym.agents.settings import configure
    from debug_gym.benchmarks.select import select
    from debug_gym.runs.config import parse_options
    from debug_gym.runs.plan import make_benchmark
    from debug_gym.training.settings import GRPOSettings, checked

    chosen = checked(GRPOSettings, parse_options(settings or (), "--set"))

    import_module("debug_gym.training.extra")  # first: it says what is not installed
    from debug_gym.training.grpo import grpo as learn
    from debug_gym.training.learner import Goal, Learner

    goal = Goal(library, name, output, start, replace)
    goal.check()
    made = make_benchmark(benchmark, parse_options(benchmark_options or (), "--benchmark-option"))
    chosen_tasks = select(made, split_patterns(tasks), split=split, limit=limit).ids
    agent = configure(LLMSettings, parse_options(agent_options or (), "--agent-option"), "the learner")
    offered = split_patterns([tools])
    with Learner(base, goal, chosen) as learner, Console(stderr=True).status("") as status:
        curve = learn(
            learner,
            made,
            chosen_tasks,
            offered,
            chosen,
            agent=agent,
            sandbox=sandbox,
            on_progress=_teller(status),
        )
        _keep(learner, f"{len(chosen_tasks)} tasks of {made.name}, by playing", curve)


def _teller(status: "Status") -> "Progress":
    def tell(step: int, last: int, measured: Mapping[str, float]) -> None:
        shown = (f"{name} {value:.3g}" for name, value in measured.items() if name != "step")
        status.update(f"step {step} of {last}: {', '.join(shown)}")

    return tell


def _keep(learner: "Learner", trained_on: str, curve: list[dict[str, float]]) -> None:
    """Store the result, with the last of each measure."""
    metrics = {name: value for point in curve for name, value in point.items() if name != "step"}
    typer.echo(f"{learner.keep(trained_on, metrics)}: learned from {trained_on}")
