"""``debug-gym tune``: a prompt is tuned by the tasks of a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from debug_gym.cli.app import app
from debug_gym.cli.options import complete
from debug_gym.errors import ConfigError

if TYPE_CHECKING:
    from debug_gym.tuning.tune import Tried

SYSTEM = "system"
"""The name of the prompt that agents have where no other is set."""


@app.command()
def tune(
    prompt: Annotated[
        str, typer.Argument(metavar="PROMPT", help="A Jinja file, or [cyan]system[/]: the agents' own.")
    ],
    *,
    run: Annotated[Path, typer.Option("--from", metavar="RUN", help="Its tasks, agent and model are used.")],
    model: Annotated[str, typer.Option("--model", "-m", help="Who proposes.")],
    provider: Annotated[
        str, typer.Option(help="How it is asked.", autocompletion=complete("models"))
    ] = "openai",
    model_options: Annotated[
        list[str] | None,
        typer.Option("--model-option", "-o", metavar="KEY=VALUE", help="An option of it. Repeatable."),
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="As TuningSettings has them.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="Prompts and runs; default: RUN.tuned.", metavar="FOLDER")
    ] = None,
) -> None:
    """Look for a better system prompt: proposed by a model, kept where it solves more of other tasks.

    A part of the run's tasks is played with each proposal; what does best there must also do better on the
    rest. Killed and started again, it goes on.

    [cyan]debug-gym tune system --from runs/nightmares-llm-qwen3 -m gpt-5 --set rounds=4[/]
    """
    from pydantic import ValidationError

    from debug_gym.agents.llm.settings import LLMSettings
    from debug_gym.agents.models.factory import make_model
    from debug_gym.runs.config import parse_options
    from debug_gym.store.records import Run
    from debug_gym.tuning.tune import TuningSettings
    from debug_gym.tuning.tune import tune as tune_prompt

    try:
        chosen = TuningSettings(**parse_options(settings or (), "--set"))
    except ValidationError as error:
        wrong = error.errors()[0]
        raise ConfigError(f"--set {wrong['loc'][0]}: {wrong['msg']}") from error
    file = LLMSettings().system_template if prompt == SYSTEM else Path(prompt)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the prompt {file} cannot be read: {error}") from error
    place = output or run.with_name(run.name + ".tuned")
    options = parse_options(model_options or (), "--model-option")
    with make_model(model, provider, options) as proposer:
        tuned = tune_prompt(Run.open(run), text, proposer, chosen, place, on_tried=_tell)
    better = "no better one was found" if tuned.prompt == text else "the best"
    typer.echo(f"{better}: {place / 'best.j2'}")


def _tell(tried: "Tried") -> None:
    if tried.train is None:
        typer.echo(f"{tried.name}\tcannot be filled")
        return
    shown = "" if tried.validation is None else f"\tvalidation {tried.validation:.0%}"
    typer.echo(f"{tried.name}\ttrain {tried.train:.0%}{shown}{'  kept' if tried.kept else ''}")
