"""From a draft whose tests are decided to a task, and how it lies in the folder of a benchmark."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from debug_gym.formats.yaml_text import yaml_text
from debug_gym.judge.controls.make import dump_controls
from debug_gym.mining.base import Draft
from debug_gym.mining.decide import Decided
from debug_gym.mining.hunks import patch
from debug_gym.mining.trees import pack
from debug_gym.mining.visible import Split, split
from debug_gym.task import ArchiveSource, Task, Tests, file_name

SOURCES = "_sources"
"""The folder of the repositories that tasks share."""


@dataclass(frozen=True)
class Composed:
    """A task, and what of it lies where."""

    task: Task
    archive: Path
    """The repository, without the bug's patch."""
    split: Split


def parts(draft: Draft, decided: Decided) -> Split:
    """Which of the tests the agent sees."""
    names = {test.partition("::")[0] for test in decided.failing}
    files: dict[str, bytes | None] = {
        path: content.encode() if isinstance(content, str) else content
        for path, content in draft.tests.items()
    }
    for name in sorted(names - files.keys()):
        files[name] = (draft.ground.folder / name).read_bytes()
    return split(files, decided.failing, decided.broken)


def compose(name: str, draft: Draft, decided: Decided, problem: str, folder: Path) -> Composed:
    """Make the task.

    Args:
        name: its id.
        draft: with the smallest fix.
        decided: its tests.
        problem: the statement.
        folder: of the benchmark: the repository is stored there, once for all of its tasks.
    """
    ground, divided = draft.ground, parts(draft, decided)
    archive = folder / SOURCES / f"{file_name(ground.folder.name)}.tar.gz"
    archive.parent.mkdir(parents=True, exist_ok=True)
    if not archive.exists():
        pack(ground.folder, archive)
    shown = {**draft.broken, **divided.shown}
    given = {path: _given(ground.folder / path) for path in shown}
    bug = patch(given, shown)
    tests = Tests(
        command=ground.command,
        visible=_visible(draft, decided),
        hidden=dict(divided.hidden),
        fail_to_pass=decided.failing,
        pass_to_pass=decided.passing,
        unstable=decided.unstable,
        timeout=max(60.0, round(20 * ground.seconds)),
    )
    task = Task(
        id=name,
        benchmark=folder.name,
        problem=problem,
        source=ArchiveSource(path=archive, bug_patch=bug or None),
        tests=tests,
        environment=ground.environment,
        gold_patch=patch(draft.broken, draft.fixed),
        metadata={
            "licence": ground.licence,
            "python": f"{sys.version_info[0]}.{sys.version_info[1]}",
            **draft.metadata,
        },
    )
    return Composed(task, archive, divided)


def _visible(draft: Draft, decided: Decided) -> tuple[str, ...]:
    """All tests; but where some fail whatever one does, only the files that hold no such test."""
    if not decided.broken:
        return ()
    bad = {test.partition("::")[0] for test in decided.broken}
    shown = {test.partition("::")[0] for test in decided.failing}
    files = dict.fromkeys(test.partition("::")[0] for test in (*decided.failing, *decided.passing))
    return tuple(path for path in files if path not in bad or path in shown)


def _given(path: Path) -> str | None:
    return path.read_bytes().decode() if path.is_file() else None


def write(composed: Composed, folder: Path) -> None:
    """Store a task in the folder of a benchmark."""
    task = composed.task
    target = folder / file_name(task.id)
    (target / "hidden").mkdir(parents=True)
    for path, content in composed.split.hidden.items():
        (target / "hidden" / path).parent.mkdir(parents=True, exist_ok=True)
        (target / "hidden" / path).write_bytes(content)
    (target / "gold.patch").write_text(task.gold_patch or "", encoding="utf-8")
    source = task.source
    if isinstance(source, ArchiveSource) and source.bug_patch:
        (target / "bug.patch").write_text(source.bug_patch, encoding="utf-8")
    if task.tests.controls:
        (target / "controls.json").write_text(dump_controls(task.tests.controls), encoding="utf-8")
    (target / "task.yaml").write_text(yaml_text(_said(composed)), encoding="utf-8")


def _said(composed: Composed) -> dict[str, Any]:
    task = composed.task
    tests = task.tests
    environment = json.loads(task.environment.model_dump_json(exclude_defaults=True))
    said: Mapping[str, Any] = {
        "problem": task.problem,
        "category": task.metadata.get("mutator") or task.metadata.get("kind", ""),
        "source": {"kind": "archive", "path": f"../{SOURCES}/{composed.archive.name}"},
        "test_command": list(tests.command) if tests.command != Tests().command else None,
        "visible": list(tests.visible),
        "fail_to_pass": list(tests.fail_to_pass),
        "pass_to_pass": list(tests.pass_to_pass),
        "unstable": list(tests.unstable),
        "timeout": tests.timeout,
        "environment": environment,
        "metadata": json.loads(json.dumps(dict(task.metadata))),
    }
    return {key: value for key, value in said.items() if value}
