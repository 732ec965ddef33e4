"""``debug-gym export-tasks``: a benchmark in the forms of other harnesses."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from debug_gym.cli.app import app
from debug_gym.cli.options import (
    BenchmarkName,
    BenchmarkOptions,
    DataDir,
    Limit,
    Sandbox,
    Shuffle,
    Split,
    TaskPatterns,
    benchmark_settings,
    chosen,
)


class TaskForm(StrEnum):
    """In which form tasks are written."""

    SWEBENCH = "swebench"
    HARBOR = "harbor"


@app.command()
def export_tasks(
    benchmark: BenchmarkName,
    *,
    form: Annotated[TaskForm, typer.Option("--format", "-f", help="How they are written.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-O", help="For swebench a .jsonl or .parquet file, for harbor a folder of tasks."
        ),
    ],
    tasks: TaskPatterns = None,
    split: Split = None,
    shuffle: Shuffle = None,
    limit: Limit = None,
    sandbox: Sandbox = "namespace",
    benchmark_options: BenchmarkOptions = None,
    data_dir: DataDir = None,
) -> None:
    """Write tasks for other harnesses.

    [bold]swebench[/]: a row a task with SWE-bench's columns, which [cyan]datasets.load_dataset[/] reads.
    [bold]harbor[/]: a folder a task, whose verifier is the gym's judge; [cyan]debug-gym run harbor --path
    FOLDER[/] plays it here.

    [cyan]debug-gym export-tasks mined/my-project-git --format swebench -O tasks.jsonl[/]

    [cyan]debug-gym export-tasks nightmares --format harbor -O harbor-tasks[/]
    """
    from debug_gym.cli.screens.progress import counted
    from debug_gym.errors import ConfigError
    from debug_gym.formats.harbor import folder_name, write_task
    from debug_gym.formats.swebench import as_row, write_table
    from debug_gym.runs.plan import make_benchmark
    from debug_gym.sandbox.registry import shared_backend

    loaded = make_benchmark(benchmark, benchmark_settings(benchmark_options, data_dir))
    selected = chosen(loaded, tasks, split, shuffle, limit)
    rows = []
    with counted(f"exporting {benchmark}", len(selected)) as tell:
        for task in selected.values():
            if form is TaskForm.SWEBENCH:
                rows.append(as_row(task, loaded.version))
            else:
                folder = output / folder_name(task)
                if folder.exists():
                    raise ConfigError(f"{folder} is there already: name another folder by --output")
                write_task(task, folder, shared_backend(sandbox))
            tell(f"{task.id} is written")
    if form is TaskForm.SWEBENCH:
        write_table(rows, output)
    typer.echo(f"{len(selected)} tasks in {output}", err=True)
