"""``debug-gym export``: stored episodes in the forms of others."""

import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from debug_gym.cli.app import app
from debug_gym.cli.options import split_patterns
from debug_gym.cli.report import RunFolders
from debug_gym.errors import ConfigError, HostError

if TYPE_CHECKING:
    from debug_gym.training.sources import Source


class Form(StrEnum):
    """In which form episodes are written."""

    MESSAGES = "messages"
    TRL = "trl"
    ATIF = "atif"


class Kept(StrEnum):
    """What is left out unless it is asked for."""

    UNRESOLVED = "unresolved"
    CHEATING = "cheating"
    REPEATED_FAILURES = "repeated-failures"
    DUPLICATES = "duplicates"


Keep = Annotated[
    list[Kept] | None, typer.Option(help="Keep episodes that are left out otherwise. Repeatable.")
]
MaxSteps = Annotated[int | None, typer.Option(min=1, help="Leave out episodes with more calls.")]
MaxCharacters = Annotated[int | None, typer.Option(min=1, help="Leave out longer conversations.")]
Without = Annotated[
    list[str] | None,
    typer.Option(
        metavar="BENCHMARK[:SPLIT]|RUN",
        help="Learn from none of these tasks, nor from their repositories. Repeatable.",
    ),
]
LearnerOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--agent-option", "-o", metavar="KEY=VALUE", help="An option of the agent that learns. Repeatable."
    ),
]
LearnerTools = Annotated[
    str | None, typer.Option("--tools", help="Its tools, joined by commas. [dim]\\[default: the run's][/]")
]


@app.command()
def export(
    runs: RunFolders,
    *,
    form: Annotated[Form, typer.Option("--format", "-f", help="How they are written.")] = Form.MESSAGES,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-O", help="The file, or for atif the folder. [dim]\\[default: stdout][/]"),
    ] = None,
    keep: Keep = None,
    max_steps: MaxSteps = None,
    max_characters: MaxCharacters = None,
    without: Without = None,
    agent_options: LearnerOptions = None,
    tools: LearnerTools = None,
) -> None:
    """Write the episodes of runs for other programs: to train on, or to look at.

    [bold]messages[/]: a conversation a line, in the form of OpenAI's API. [bold]trl[/]: a line for each turn
    of the agent, prompt and completion, for TRL's SFTTrainer. Both hold the resolved episodes that are fit
    to learn from. [bold]atif[/]: each judged episode as Harbor's trajectory format has it.

    [cyan]debug-gym export runs/sprouts-oracle --output data.jsonl[/]

    [cyan]debug-gym export runs --format trl --without swebench_verified --max-steps 30 -O data.jsonl[/]

    [cyan]debug-gym export runs/nightmares-repair --format atif --output trajectories[/]
    """
    if form is Form.ATIF:
        _write_atif(runs, output)
        return
    found = source(
        runs,
        keep=keep,
        max_steps=max_steps,
        max_characters=max_characters,
        without=without,
        agent_options=agent_options,
        tools=tools,
    )
    _write(_rows(found, form), output)
    typer.echo(found.sieve.summary(), err=True)


def source(
    runs: list[Path],
    *,
    keep: list[Kept] | None,
    max_steps: int | None,
    max_characters: int | None,
    without: list[str] | None,
    agent_options: list[str] | None,
    tools: str | None,
) -> "Source":
    """The episodes that the options name."""
    from debug_gym.runs.config import parse_options
    from debug_gym.store.exports.filters import Filters
    from debug_gym.training.sources import Source

    kept = set(keep or ())
    filters = Filters(
        **{one.value.replace("-", "_"): one not in kept for one in Kept},
        max_steps=max_steps,
        max_characters=max_characters,
    )
    return Source(
        runs,
        options=parse_options(agent_options or (), "--agent-option"),
        tools=split_patterns([tools]) if tools else None,
        filters=filters,
        without=without or (),
    )


def _rows(found: "Source", form: Form) -> Iterator[dict[str, Any]]:
    from debug_gym.store.exports.rows import as_messages, as_trl

    for conversation in found.conversations():
        if form is Form.MESSAGES:
            yield as_messages(conversation)
        else:
            yield from as_trl(conversation)


def _write(rows: Iterable[dict[str, Any]], output: Path | None) -> None:
    from debug_gym.store.writer import write_atomically

    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if output is None:
        for line in lines:
            typer.echo(line, nl=False)
        return
    try:
        write_atomically(output, "".join(lines))
    except OSError as error:
        raise HostError(f"{output} cannot be written: {error.strerror}") from None


def _write_atif(runs: list[Path], output: Path | None) -> None:
    from debug_gym.report.load import load
    from debug_gym.store.exports.atif import as_atif
    from debug_gym.task import file_name

    if output is None:
        raise ConfigError("--format atif writes a file for each episode: name a folder by --output")
    count = 0
    for entry in load(runs):
        folder = output / entry.name if len(runs) > 1 else output
        for result in entry.run.results():
            if result.status != "error":
                folder.mkdir(parents=True, exist_ok=True)
                document = json.dumps(as_atif(entry.run, result), ensure_ascii=False, indent=1)
                (folder / f"{file_name(result.task)}.{result.attempt}.json").write_text(
                    document + "\n", encoding="utf-8"
                )
                count += 1
    typer.echo(f"{count} episodes in {output}", err=True)
