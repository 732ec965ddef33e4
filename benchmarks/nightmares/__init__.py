"""The nightmares: small realistic repositories whose bug is far from its symptom.

Each task is a folder: ``task.yaml`` (problem, category, deciding tests), ``repo/`` (what the agent gets),
``hidden/`` (test files laid over it by the judge), ``gold.patch`` (one fix) and ``controls.json`` (edits of
the tests after which they must fail; made by ``debug-gym validate nightmares --write-controls``).
"""

from collections.abc import Iterator
from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from debug_gym.benchmarks.base import Benchmark, read_controls
from debug_gym.errors import TaskError
from debug_gym.task import DirectorySource, Frozen, Task, Tests

TASKS = Path(__file__).parent / "tasks"


class Nightmares(Benchmark):
    """Bugs that reading misleads about and watching the program run explains."""

    name = "nightmares"
    version = "1"
    description = "Small realistic repositories whose bug is far from its symptom."

    def __init__(self, folder: str | Path = TASKS) -> None:
        """Take the tasks from ``folder``, one subfolder each; its name is the task's id."""
        self.folder = Path(folder)

    def load(self) -> Iterator[Task]:
        """Yield the tasks, sorted by id.

        Raises:
            TaskError: a file is missing, is not UTF-8 or does not have the format; the message names it.
        """
        for folder in sorted(self.folder.iterdir()):
            if folder.is_dir() and not folder.name.startswith((".", "__")):  # other tools leave caches there
                yield _load_task(folder)

    def controls_file(self, task: str) -> Path | None:
        """``controls.json`` in the task's folder."""
        return self.folder / task / "controls.json"


class _TaskFile(Frozen):
    """What stands in ``task.yaml``."""

    problem: str = Field(min_length=1)
    category: str = Field(min_length=1)
    fail_to_pass: tuple[str, ...] = Field(min_length=1)
    pass_to_pass: tuple[str, ...] = ()
    unstable: tuple[str, ...] = ()


def _load_task(folder: Path) -> Task:
    described = _describe(folder / "task.yaml")
    repository, hidden = folder / "repo", folder / "hidden"
    for needed in (repository, hidden):
        if not needed.is_dir():
            raise TaskError(f"{needed} is missing: a task needs the folders repo and hidden")
    tests = Tests(
        hidden={
            path.relative_to(hidden).as_posix(): _text(path)
            for path in sorted(hidden.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        },
        fail_to_pass=described.fail_to_pass,
        pass_to_pass=described.pass_to_pass,
        unstable=described.unstable,
        controls=read_controls(folder / "controls.json"),
        timeout=30,
    )
    gold_patch = _text(folder / "gold.patch")
    try:
        return Task(
            id=folder.name,
            benchmark=Nightmares.name,
            problem=described.problem,
            source=DirectorySource(path=repository),
            tests=tests,
            gold_patch=gold_patch,
            metadata={"category": described.category},
        )
    except ValidationError as error:
        raise TaskError(f"{folder} is not a task: {_first(error)}") from None


def _describe(path: Path) -> _TaskFile:
    try:
        return _TaskFile.model_validate(yaml.safe_load(_text(path)))
    except yaml.YAMLError as error:
        raise TaskError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        raise TaskError(f"{path} does not describe a task: {_first(error)}") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"{path} cannot be read: {error}") from None


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]
