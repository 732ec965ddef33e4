"""``debug-gym library``: folders of LoRA experts."""

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from debug_gym.cli.app import app
from debug_gym.cli.options import AsJson
from debug_gym.errors import ConfigError

if TYPE_CHECKING:
    from debug_gym.lora.expert import Expert

library = typer.Typer(no_args_is_help=True, help="Make and look after libraries of LoRA experts.")
app.add_typer(library, name="library")


class Space(StrEnum):
    """What is averaged."""

    OUTPUTS = "outputs"
    PARAMETERS = "parameters"


LibraryFolder = Annotated[str, typer.Argument(metavar="LIBRARY", help="A folder, or hf://owner/name.")]
Changed = Annotated[Path, typer.Argument(metavar="LIBRARY", help="A folder.")]
Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="Experts.")]
Rank = Annotated[int | None, typer.Option(min=1, help="At most this rank, the best approximation there is.")]
SpaceOption = Annotated[Space, typer.Option(help="Average what experts compute, or A and B apart.")]
Replace = Annotated[bool, typer.Option("--replace", help="Overwrite an expert of that name.")]


@library.command()
def add(
    folder: Changed,
    adapters: Annotated[
        list[str],
        typer.Argument(metavar="ADAPTER...", help="Folders of PEFT adapters, or hf://owner/name[/folder]."),
    ],
    *,
    name: Annotated[str | None, typer.Option(help="The expert's name; default: its folder's.")] = None,
    base: Annotated[str | None, typer.Option(help="The base model, where the adapter names another.")] = None,
    trained_on: Annotated[str, typer.Option(help="What it was trained on.")] = "",
    description: Annotated[str, typer.Option(help="What it is good for.")] = "",
    replace: Replace = False,
) -> None:
    """Copy PEFT LoRA adapters into a library, which is made if it is not there.

    [cyan]debug-gym library add experts outputs/run-7 --name parsers --trained-on "parsing tasks"[/]

    [cyan]debug-gym library add experts hf://owner/adapter@main[/]
    """
    from debug_gym.lora.library import ExpertLibrary

    if name and len(adapters) > 1:
        raise ConfigError("--name names one expert: add several adapters without it, or one at a time")
    opened = ExpertLibrary.create(folder)
    said = {"trained_on": trained_on, "description": description}
    card = {field: text for field, text in said.items() if text}
    for adapter in adapters:
        expert = opened.add(adapter, name, base=base, replace=replace, **card)
        typer.echo(f"added {expert.name}")


@library.command()
def remove(folder: Changed, names: Names) -> None:
    """Delete experts."""
    from debug_gym.lora.library import ExpertLibrary

    opened = ExpertLibrary.open(folder)
    for name in names:
        opened.remove(name)
        typer.echo(f"removed {name}")


@library.command("list")
def list_(source: LibraryFolder, as_json: AsJson = False) -> None:
    """Show a library's experts. Columns are separated by tabs when the output is not a terminal."""
    from debug_gym.lora.library import ExpertLibrary

    opened = ExpertLibrary.open(source)
    rows = [_row(expert) for expert in opened.values()]
    titles = ("expert", "rank", "targets", "trained on", "metrics", "description")
    if as_json:
        found = [
            {
                **dict(zip(titles, _row(expert), strict=True)),
                "rank": expert.config.r,
                "metrics": expert.card.metrics,
            }
            for expert in opened.values()
        ]
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
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
    console.print(table)
    console.print(Text(f"{len(rows)} experts of {opened.base or 'an unnamed base model'}", style="dim"))


@library.command()
def show(source: LibraryFolder, name: Annotated[str, typer.Argument(help="An expert.")]) -> None:
    """Show all that is known of one expert, as JSON."""
    from debug_gym.lora.library import ExpertLibrary

    expert = ExpertLibrary.open(source)[name]
    pairs = expert.pairs()
    about = {
        "name": expert.name,
        "folder": str(expert.folder),
        "card": expert.card.model_dump(),
        "config": expert.config.model_dump(mode="json"),
        "modules": len(pairs),
        "parameters": sum(a.numel() + b.numel() for a, b in pairs.values()),
    }
    typer.echo(json.dumps(about, indent=2))


@library.command()
def verify(source: LibraryFolder) -> None:
    """Check every expert's files: checksums, readability, shapes, NaN.

    Exit codes: 0 all are sound, 1 some are not, 2 there is no library.
    """
    from debug_gym.lora.library import ExpertLibrary

    found = ExpertLibrary.open(source).verify()
    for name, problems in found.items():
        typer.echo(f"{name}\t{'; '.join(problems) or 'ok'}")
    raise typer.Exit(int(any(found.values())))


@library.command()
def merge(
    folder: Changed,
    names: Names,
    *,
    into: Annotated[str, typer.Option(help="Name of the new expert.")],
    weights: Annotated[
        str | None, typer.Option(metavar="W,W,...", help="One for each expert; default: the average.")
    ] = None,
    space: SpaceOption = Space.OUTPUTS,
    rank: Rank = None,
    replace: Replace = False,
) -> None:
    """Make one expert of several: the weighted sum of what they compute.

    [cyan]debug-gym library merge experts parsers dates --into both --rank 16[/]
    """
    from debug_gym.lora import merge as merging
    from debug_gym.lora.library import ExpertLibrary

    by_name = dict(zip(names, _numbers(weights, len(names)), strict=True)) if weights else names
    opened = ExpertLibrary.open(folder)
    expert = merging.merge(opened, by_name, into, space=space.value, rank=rank, replace=replace)
    typer.echo(f"added {expert.name}, rank {expert.config.r}")


@library.command()
def fold(
    source: LibraryFolder,
    out: Annotated[Path, typer.Argument(help="A new folder for the adapter.")],
    *,
    router: Annotated[str, typer.Option(help="uniform, an expert, or poly:FILE:TASK.")] = "uniform",
    rank: Rank = None,
) -> None:
    """Write a static router as one ordinary PEFT adapter, which any server can serve.

    [cyan]debug-gym library fold experts served --router poly:routing.safetensors:dates[/]
    """
    from debug_gym.lora.library import ExpertLibrary
    from debug_gym.lora.merge import fold_router
    from debug_gym.lora.routing import make_router

    opened = ExpertLibrary.open(source)
    typer.echo(str(fold_router(opened, make_router(router, opened), out, rank)))


@library.command()
def train(
    folder: Changed,
    data: Annotated[Path, typer.Argument(help="One JSON object a line: messages, tools, task.")],
    *,
    base: Annotated[str, typer.Option(help="The base model: a folder, or a name on the Hub.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="As TrainingSettings has them.")
    ] = None,
    work: Annotated[
        Path | None, typer.Option(help="For checkpoints and loss curves; default: LIBRARY.work.")
    ] = None,
) -> None:
    """Train one expert for each task of the data that the library does not have yet.

    Killed and started again, it goes on where it was.

    [cyan]debug-gym library train experts data.jsonl --base Qwen/Qwen3-0.6B --set rank=8 --set epochs=2[/]
    """
    from pydantic import ValidationError
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from debug_gym.lora.library import ExpertLibrary
    from debug_gym.lora.train import TrainingSettings, build_experts, group, read_examples
    from debug_gym.runs.config import parse_options

    try:
        chosen = TrainingSettings(**parse_options(settings or (), "--set"))
    except ValidationError as error:
        wrong = error.errors()[0]
        raise ConfigError(f"--set {wrong['loc'][0]}: {wrong['msg']}") from error
    tasks = group(read_examples(data))
    opened = ExpertLibrary.create(folder, base)
    try:
        model, tokenizer = AutoModelForCausalLM.from_pretrained(base), AutoTokenizer.from_pretrained(base)
    except (OSError, ValueError) as error:
        raise ConfigError(f"the base model {base} cannot be loaded: {error}") from error
    place = work or folder.with_name(folder.name + ".work")
    with Console(stderr=True).status("") as status:

        def tell(step: int, last: int, measured: Mapping[str, float]) -> None:
            status.update(f"step {step} of {last}: loss {measured.get('loss', float('nan')):.3f}")

        for expert in build_experts(opened, model, tokenizer, tasks, chosen, place, on_progress=tell):
            typer.echo(f"added {expert.name}, loss {expert.card.metrics['loss']:.3f}")


def _row(expert: "Expert") -> tuple[str, ...]:
    card, targets = expert.card, expert.config.target_modules or ""
    shown = targets if isinstance(targets, str) else ",".join(sorted({one.split(".")[-1] for one in targets}))
    metrics = " ".join(f"{key}={value:.4g}" for key, value in card.metrics.items())
    return expert.name, str(expert.config.r), shown, card.trained_on, metrics, card.description


def _numbers(text: str, count: int) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise ConfigError(f"--weights takes numbers and commas, not {text!r}") from None
    if len(numbers) != count:
        raise ConfigError(f"--weights gives {len(numbers)} numbers for {count} experts")
    return numbers
