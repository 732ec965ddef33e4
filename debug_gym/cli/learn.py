"""``debug-gym learn``: a repository becomes a knowledge module."""

from collections.abc import Mapping
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from debug_gym.cli.app import app
from debug_gym.cli.options import complete
from debug_gym.errors import ConfigError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from debug_gym.agents.models.base import Model

HELD_OUT = 0.1
"""Share of the questions of a model that is kept to measure what was learned; templates keep a phrasing."""
ASKER = "A model that asks the questions (default: templates)"


class How(StrEnum):
    """What is minimised."""

    DISTILL = "distill"
    ANSWERS = "answers"
    TEXT = "text"


@app.command()
def learn(
    repository: Annotated[Path, typer.Argument(metavar="REPO", help="A folder of code and documentation.")],
    *,
    library: Annotated[Path, typer.Option(help="Gets the module; it is made if it is not there.")],
    base: Annotated[str, typer.Option(help="The base model: a folder, or a name on the Hub.")],
    name: Annotated[str | None, typer.Option(help="The module's name; default: the folder's.")] = None,
    objective: Annotated[
        How, typer.Option(help="Distil what a reader would say, or train on answers, or on the text.")
    ] = How.DISTILL,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="As LearningSettings has them.")
    ] = None,
    work: Annotated[
        Path | None, typer.Option(help="For checkpoints and the loss curve; default: LIBRARY.work/NAME.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="As torch calls it; default: a GPU if there is one.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite a module of that name.")] = False,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Its name.", rich_help_panel=ASKER)
    ] = None,
    provider: Annotated[
        str,
        typer.Option(help="How it is asked.", rich_help_panel=ASKER, autocompletion=complete("models")),
    ] = "openai",
    model_options: Annotated[
        list[str] | None,
        typer.Option(
            "--model-option", "-o", metavar="KEY=VALUE", help="An option of it.", rich_help_panel=ASKER
        ),
    ] = None,
) -> None:
    """Learn a repository: a LoRA whose model knows the code without reading it.

    Killed and started again, it goes on where it was. An agent plays with the module by
    [cyan]debug-gym run ... --provider local --knowledge LIBRARY/NAME[/].

    [cyan]debug-gym learn ./calc --library modules --base ./my-model[/]

    [cyan]debug-gym learn . --library modules --base Qwen/Qwen3-0.6B -m gpt-5 --set epochs=5[/]
    """
    from debug_gym.knowledge.learn import learn as learn_module
    from debug_gym.knowledge.learn import lesson
    from debug_gym.lora.base import load_base
    from debug_gym.lora.library import ExpertLibrary

    chosen = _settings(settings, objective)
    called = name or repository.resolve().name
    place = work or library.with_name(library.name + ".work") / called
    console = Console(stderr=True)
    base_model, tokenizer = load_base(base, device=device)
    with _asker(model, provider, model_options) as asker, console.status("asking") as status:
        unseen = 0.0 if asker is None else HELD_OUT
        taught = lesson(repository, tokenizer, chosen, place, asker=asker, unseen=unseen)
        typer.echo(f"{len(taught.chunks)} chunks, {len(taught.train)} questions")

        def tell(step: int, last: int, measured: Mapping[str, float]) -> None:
            status.update(f"step {step} of {last}: loss {measured.get('loss', float('nan')):.3f}")

        made = learn_module(
            ExpertLibrary.create(library, base),
            called,
            base_model,
            tokenizer,
            taught,
            chosen,
            place,
            replace=replace,
            on_progress=tell,
            trained_on=str(repository),
        )
    figures = made.card.metrics
    typer.echo(f"added {made.name}, loss {figures['loss']:.3f}")
    if "held_out_nats" in figures:
        typer.echo(
            "nats for a token of the answers to questions that were held out: "
            f"{figures['held_out_nats_base']:.2f} before, {figures['held_out_nats']:.2f} now"
        )


def _settings(given: list[str] | None, objective: How) -> Any:
    from pydantic import ValidationError

    from debug_gym.knowledge.learn import LearningSettings
    from debug_gym.runs.config import parse_options

    try:
        return LearningSettings(**{"objective": objective.value, **parse_options(given or (), "--set")})
    except ValidationError as error:
        wrong = error.errors()[0]
        raise ConfigError(f"--set {wrong['loc'][0]}: {wrong['msg']}") from error


def _asker(
    model: str | None, provider: str, options: list[str] | None
) -> "AbstractContextManager[Model | None]":
    from debug_gym.agents.models.factory import make_model
    from debug_gym.runs.config import parse_options

    if model is None:
        return nullcontext()
    return make_model(model, provider, parse_options(options or (), "--model-option"))
