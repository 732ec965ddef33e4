"""Any task as a folder of a benchmark of our own: ``debug_gym.benchmarks.folder`` reads it again."""

import json
from pathlib import Path
from typing import Any

from debug_gym.benchmarks.folder import DESCRIPTION
from debug_gym.errors import ConfigError
from debug_gym.formats.yaml_text import yaml_text
from debug_gym.judge.controls.make import dump_controls
from debug_gym.judge.hidden import revealed
from debug_gym.sandbox import Backend
from debug_gym.sandbox.fetch import fetch
from debug_gym.task import ImageSource, Task, as_bytes, file_name, opened


def whole(task: Task, backend: Backend) -> Task:
    """The task with all of its hidden tests as files.

    Raises:
        ConfigError: it lies in an image, or has no tests that decide.
    """
    if isinstance(opened(task.source), ImageSource):
        raise ConfigError(
            f"{task.id} lies in the image {task.source.where}: only tasks that consist of files can be "
            "written as a folder"
        )
    if task.question is not None:
        raise ConfigError(f"{task.id} is open-ended: no test scores it, so no other harness can")
    return revealed(task, backend)


def write_benchmark(task: Task, folder: Path) -> None:
    """Write a benchmark of one task (see ``whole``).

    Args:
        task: with all hidden tests as files.
        folder: of the benchmark; it may not exist yet.

    Raises:
        TaskError: the repository cannot be had.
    """
    place = folder / file_name(task.id)
    place.mkdir(parents=True)
    texts = {"task.yaml": yaml_text(_said(task)), "gold.patch": task.gold_patch, "gold.sh": task.gold_script}
    said = {"name": task.benchmark, "description": f"{task.id}, exported"}
    (folder / DESCRIPTION).write_bytes(yaml_text(said).encode())
    fetch(opened(task.source), place / "repo")
    for path, content in task.tests.hidden.items():
        target = place / "hidden" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(as_bytes(content))
    if task.tests.controls:
        texts["controls.json"] = dump_controls(task.tests.controls)
    for name, text in texts.items():
        if text is not None:
            (place / name).write_bytes(text.encode())


def _said(task: Task) -> dict[str, Any]:
    plain = json.loads(task.model_dump_json(exclude_defaults=True))
    tests = plain.get("tests", {})
    kept = ("runner", "visible", "fail_to_pass", "pass_to_pass", "unstable", "share_sandbox", "timeout")
    return {
        "problem": task.problem,
        # it is exported as it is: no name may be left out that is left out of a folder of one's own
        "source": {"kind": "directory", "path": "repo", "exclude": []},
        "test_command": list(task.tests.command),
        **{key: tests[key] for key in (*kept, "processes") if key in tests},
        **{key: plain[key] for key in ("environment", "editable", "limits", "metadata") if key in plain},
    }
