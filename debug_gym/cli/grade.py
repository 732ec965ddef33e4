"""``debug-gym grade``: answers to open-ended tasks, graded by a model or by you."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from debug_gym.cli.app import app
from debug_gym.errors import ConfigError

if TYPE_CHECKING:
    from debug_gym.checks.grade import Answer, Opinion
    from debug_gym.store.grades import Grade


@app.command()
def grade(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    *,
    model: Annotated[str | None, typer.Option("--model", "-m", help="The model that grades.")] = None,
    person: Annotated[str | None, typer.Option(metavar="NAME", help="You grade, under this name.")] = None,
    provider: Annotated[str, typer.Option(help="Who serves the model.")] = "openai",
    options: Annotated[
        list[str] | None,
        typer.Option("--option", "-o", metavar="KEY=VALUE", help="An option of the model. Repeatable."),
    ] = None,
) -> None:
    """Grade the answers of a run to open-ended tasks, which no test can score.

    The grades are kept in the run's folder with the grader's name. Those that a grader has given stay; the
    same command goes on where it stopped.

    [cyan]debug-gym grade runs/swe-qa-llm-gpt-5 --model gpt-5[/]

    [cyan]debug-gym grade runs/swe-qa-llm-gpt-5 --person ada[/]
    """
    from debug_gym.agents.models.factory import make_model
    from debug_gym.checks.grade import grade as grade_run
    from debug_gym.checks.grade import model_opinion
    from debug_gym.runs.config import parse_options
    from debug_gym.runs.plan import make_benchmark
    from debug_gym.store.records import Run

    if (model is None) == (person is None):
        raise ConfigError("say who grades: either  --model NAME  or  --person NAME")
    stored = Run.open(run)
    config = stored.manifest.config
    benchmark = make_benchmark(config["benchmark"], config.get("benchmark_options") or {})
    console = Console()

    def tell(made: "Grade") -> None:
        console.print(f"{made.task}.{made.attempt}: {made.total} of 100", markup=False, highlight=False)

    if person is not None:
        found = grade_run(stored, benchmark, _asked(console), person, person=True, on_done=tell)
    else:
        with make_model(model or "", provider, parse_options(options or (), "--option")) as grader:
            found = grade_run(stored, benchmark, model_opinion(grader), grader.name, on_done=tell)
    _show(console, found)


def _asked(console: Console) -> "Callable[[Answer], Opinion]":
    """Asks the person at the terminal."""
    from debug_gym.store.grades import BEST, CRITERIA

    def ask(answer: "Answer") -> "Opinion":
        for title, text in (
            ("question", answer.question),
            ("reference", answer.reference),
            ("answer", answer.text),
        ):
            console.rule(f"{answer.task}: {title}")
            console.print(text, markup=False, highlight=False)
        points = {name: _points(f"{name}, 1 to {BEST}", BEST) for name in CRITERIA}
        return points, typer.prompt("comment", default="", show_default=False)

    return ask


def _points(what: str, best: int) -> int:
    while not 1 <= (given := int(typer.prompt(what, type=int))) <= best:
        pass
    return given


def _show(console: Console, grades: "list[Grade]") -> None:
    from debug_gym.store.grades import CRITERIA

    who = f"{grades[0].by} ({grades[0].kind})"
    table = Table(header_style="bold", show_edge=False, pad_edge=False)
    for column in (*CRITERIA, "of 100"):
        table.add_column(column, justify="right")
    means = [sum(grade.points[name] for grade in grades) / len(grades) for name in CRITERIA]
    table.add_row(*(f"{mean:.1f}" for mean in means), f"{sum(means):.1f}")
    console.print(f"{len(grades)} answers, graded by {who}; means:", markup=False, highlight=False)
    console.print(table)
