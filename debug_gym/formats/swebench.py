"""Tasks as rows of SWE-bench's table, which ``datasets.load_dataset`` reads."""

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from debug_gym.errors import ConfigError, MissingExtraError
from debug_gym.sandbox import Changes, FileEntry, checkout_cache
from debug_gym.store.patch import make_patch
from debug_gym.store.writer import write_atomically
from debug_gym.task import GitSource, ImageSource, Task, as_bytes, opened

COLUMNS = (
    "repo",
    "instance_id",
    "base_commit",
    "patch",
    "test_patch",
    "problem_statement",
    "hints_text",
    "created_at",
    "version",
    "FAIL_TO_PASS",
    "PASS_TO_PASS",
    "environment_setup_commit",
)
"""As ``SWE-bench/SWE-bench`` has them, all of them text; the two lists of tests are JSON."""


def as_row(task: Task, version: str) -> dict[str, str]:
    """One task.

    ``base_commit`` is the published commit where the repository is one and the bug is in it; else the gym's
    own commit of the broken repository: its author, date and content are always the same.

    Args:
        task: its hidden tests are files, or one patch.
        version: of its benchmark.

    Raises:
        ConfigError: it has no patch that fixes it, is open-ended, or names no tests.
        TaskError: the repository cannot be had.
    """
    if task.question is not None or task.gold_patch is None:
        lack = "is open-ended" if task.question is not None else "has no gold patch"
        raise ConfigError(
            f"{task.id} {lack}: SWE-bench's table has no place for it: choose others by --tasks"
        )
    if not task.tests.fail_to_pass:
        raise ConfigError(
            f"{task.id} does not name the tests that decide: find them by  debug-gym validate --write-tests"
        )
    source, said = opened(task.source), task.metadata
    in_image = isinstance(source, ImageSource)
    base = str(said.get("base_commit", "")) if in_image else _commit(task)
    repo = (
        said.get("repo")
        or said.get("package")
        or said.get("origin")
        or (said.get("category") if in_image else "")
    )
    values = {
        "repo": str(repo or task.benchmark),
        "instance_id": task.id,
        "base_commit": base,
        "patch": task.gold_patch,
        "test_patch": _test_patch(task),
        "problem_statement": task.problem,
        "hints_text": "",
        "created_at": str(said.get("date") or said.get("created_at") or ""),
        "version": str(said.get("version") or version),
        "FAIL_TO_PASS": _stable(task, task.tests.fail_to_pass),
        "PASS_TO_PASS": _stable(task, task.tests.pass_to_pass),
        "environment_setup_commit": base,
    }
    return {name: values[name] for name in COLUMNS}


def write_table(rows: Iterable[Mapping[str, Any]], path: Path) -> int:
    """Write rows as JSON lines, or as parquet where the name ends so; how many they are.

    Raises:
        MissingExtraError: parquet needs the extra ``datasets``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    made = list(rows)
    if path.suffix != ".parquet":
        write_atomically(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made))
        return len(made)
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError(error.name or "pyarrow", "datasets") from None
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    pq.write_table(pa.Table.from_pylist(made, schema=schema), path)
    return len(made)


def _stable(task: Task, tests: Iterable[str]) -> str:
    return json.dumps([test for test in tests if test not in task.tests.unstable])


def _commit(task: Task) -> str:
    source = opened(task.source)
    if isinstance(source, GitSource) and source.bug_patch is None and not source.subfolder:
        return source.commit
    base = checkout_cache.prepare(source)
    command = ["git", "-c", "safe.directory=*", "-C", str(base.path), "rev-parse", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _test_patch(task: Task) -> str:
    """The hidden tests as a change to the repository that the agent sees."""
    if task.tests.hidden_patch is not None:
        return task.tests.hidden_patch
    hidden = {path: as_bytes(content) for path, content in task.tests.hidden.items()}
    if not hidden:
        return ""
    place = checkout_cache.prepare(task.source).path
    changes = Changes(files={path: FileEntry(data, 0o644) for path, data in hidden.items()})

    def original(path: str) -> bytes | None:
        file = place / path
        return file.read_bytes() if file.is_file() and not file.is_symlink() else None

    patch, _ = make_patch(changes, hidden, original)
    return patch
