"""``debug-gym submit-pack`` and ``debug-gym verify``: runs that others can check."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from debug_gym.cli.app import app
from debug_gym.cli.options import (
    AsJson,
    BenchmarkOptions,
    DataDir,
    TaskPatterns,
    benchmark_settings,
    complete,
    split_patterns,
)

if TYPE_CHECKING:
    from debug_gym.checks.verify import Report


@app.command("submit-pack")
def submit_pack(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The file to write. [dim]\\[default: RUN.zip][/]"
        ),
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Also where attempts are unfinished or ended in an error.")
    ] = False,
) -> None:
    """Make one file of a run that others can verify: configuration, trajectories, predictions, digests.

    Everything that the run has stored is in it, as it is: what the agent and its model wrote, and paths of
    this machine that were given as options.

    [cyan]debug-gym submit-pack runs/nightmares-repair[/]

    [cyan]debug-gym verify nightmares-repair.zip[/]  what others do with it
    """
    from debug_gym.store.bundles import pack
    from debug_gym.store.records import Run

    stored = Run.open(run)
    path = output or Path(f"{run.resolve().name}.zip")
    digest = pack(stored, path, partial=partial)
    typer.echo(f"{path} ({path.stat().st_size / 1024:,.0f} KB), digest {digest}")


@app.command()
def verify(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="What debug-gym submit-pack has made.")],
    *,
    replay: Annotated[
        bool,
        typer.Option("--replay/--no-replay", help="Play the episodes again, or only look at the records."),
    ] = True,
    tasks: TaskPatterns = None,
    workers: Annotated[int | None, typer.Option("--workers", "-w", min=1, help="Episodes at a time.")] = None,
    sandbox: Annotated[
        str | None,
        typer.Option(
            help="Where to play. [dim]\\[default: the run's][/]", autocompletion=complete("sandboxes")
        ),
    ] = None,
    benchmark: Annotated[
        str | None, typer.Option(help="Where its tasks are here. [dim]\\[default: the run's][/]")
    ] = None,
    benchmark_options: BenchmarkOptions = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Check a bundle: its digests, its records, and every tool call and verdict once more.

    The calls of each trajectory are played in a fresh sandbox. Every observation and every verdict must be as
    recorded; the first that differs is named.

    [cyan]debug-gym verify nightmares-repair.zip[/]

    [cyan]debug-gym verify swe.zip --tasks 'django*' --workers 8[/]

    Exit codes: 0 everything is as recorded, 1 something is not, 2 wrong input.
    """
    import os
    from contextlib import ExitStack

    from debug_gym.checks.verify import verify as check
    from debug_gym.cli.screens.progress import counted
    from debug_gym.store.bundles import unpack

    with tempfile.TemporaryDirectory(prefix="debug-gym-verify-") as folder, ExitStack() as screens:
        tell: list[Any] = []
        found = check(
            unpack(bundle, Path(folder)),
            play=replay,
            tasks=split_patterns(tasks),
            benchmark=benchmark,
            options=benchmark_settings(benchmark_options, data_dir),
            sandbox=sandbox,
            workers=workers or os.cpu_count() or 1,
            on_begin=lambda total: tell.append(screens.enter_context(counted("verifying", total))),
            on_done=lambda item: tell[0](
                f"{item.task}.{item.attempt} {'differs' if item.differences else 'is as recorded'}"
            ),
        )
    typer.echo(_as_json(found) if as_json else "\n".join(_lines(found)))
    raise typer.Exit(int(not found.sound))


def _lines(report: "Report") -> list[str]:
    """What was found, for people: what differs, what may explain it, and the outcome."""
    lines = [f"altered: {what}" for what in report.bundle.altered]
    lines += [f"{item.kind}: {item.what}" for item in report.differences]
    for item in report.replays:
        for found in item.differences:
            where = f" step {found.step}" if found.step is not None else ""
            lines.append(f"{item.task}.{item.attempt}{where}: {found.what}")
    lines += [f"note: {note}" for note in report.notes]
    played = [item for item in report.replays if item.replayed]
    same = sum(not item.differences for item in played)
    steps = sum(item.steps for item in played)
    outcome = "verified" if report.sound else "NOT verified"
    if report.bundle.altered:
        told = "the content is not what its digests say; nothing was played"
    elif not played:
        told = f"{len(report.replays)} episodes, no one was played again"
    else:
        told = f"{same} of {len(played)} episodes ({steps} steps) went as recorded"
        if rest := len(report.replays) - len(played):
            told += f", {rest} were not played"
    return [*lines, f"{outcome}: {report.bundle.path}: {told}; digest {report.bundle.digest}"]


def _as_json(report: "Report") -> str:
    """All of it, for programs."""
    content = {
        "bundle": str(report.bundle.path),
        "digest": report.bundle.digest,
        "sound": report.sound,
        "altered": report.bundle.altered,
        "differences": [asdict(item) for item in report.differences],
        "attempts": [asdict(item) for item in report.replays],
        "notes": report.notes,
    }
    return json.dumps(content, indent=2, ensure_ascii=False)
