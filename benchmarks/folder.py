"""A benchmark that is a folder: ``benchmark.yaml``, and a subfolder for each task.

``docs/benchmarks.md`` describes the format.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import Field, ValidationError, field_validator

from debug_gym.benchmarks.base import Benchmark, Card, first_problem, read_controls
from debug_gym.benchmarks.data import files_in, read_text, tree_digest
from debug_gym.errors import ConfigError, TaskError
from debug_gym.task import (
    ArchiveSource,
    DirectorySource,
    Environment,
    Frozen,
    GitSource,
    Limits,
    OpenQuestion,
    RunnerChoice,
    Source,
    Task,
    Tests,
    from_file_name,
)

DESCRIPTION = "benchmark.yaml"
"""The file that makes a folder a benchmark."""
_REMOTE = re.compile(r"(https?|ssh|git)://|[\w.-]+@[\w.-]+:")

T = TypeVar("T", bound=Frozen)


class BenchmarkFile(Frozen):
    """What stands in ``benchmark.yaml``."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    version: str | None = None
    """None: a digest of the folder's content."""
    description: str = ""
    card: Card = Card()
    splits: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Name of a part to the ids of its tasks."""
    defaults: dict[str, Any] = Field(default_factory=dict)
    """What stands in each ``task.yaml`` that does not say otherwise."""


class TaskFile(Frozen):
    """What stands in ``task.yaml``: see ``Task`` and ``Tests``."""

    problem: str = Field(min_length=1)
    category: str = ""
    source: Source | None = None
    """None: the folder ``repo`` beside the file."""
    test_command: tuple[str, ...] = Tests().command
    runner: RunnerChoice | str | None = None
    visible: tuple[str, ...] = ()
    fail_to_pass: tuple[str, ...] = ()
    pass_to_pass: tuple[str, ...] = ()
    unstable: tuple[str, ...] = ()
    share_sandbox: bool = False
    timeout: float = Field(default=Tests().timeout, gt=0)
    processes: bool = True
    environment: Environment = Environment()
    editable: tuple[str, ...] | None = None
    question: OpenQuestion | None = None
    limits: Limits = Limits()
    metadata: dict[str, Any] = Field(default_factory=dict)

    @field_validator("test_command", mode="before", json_schema_input_type=str | list[str])
    @classmethod
    def _words(cls, value: Any) -> Any:
        return tuple(shlex.split(value)) if isinstance(value, str) else value


class FolderBenchmark(Benchmark):
    """The tasks of a folder, each in a subfolder that is named by its id (see ``file_name``)."""

    description = "A folder with benchmark.yaml and a subfolder for each task; option: path."

    def __init__(self, path: str | Path) -> None:
        """Read ``benchmark.yaml``, and nothing of the tasks yet.

        Raises:
            ConfigError: it is missing.
            TaskError: it cannot be read or does not have the format.
        """
        self.folder = Path(path).expanduser().resolve()
        if not is_benchmark(self.folder):
            raise ConfigError(f"{path} is no benchmark: it has no {DESCRIPTION}")
        self.file = _parse(BenchmarkFile, self.folder / DESCRIPTION)
        self.name, self.card, self.splits = self.file.name, self.file.card, tuple(self.file.splits)
        self.description = self.file.description

    @cached_property
    def version(self) -> str:  # type: ignore[override]
        """What ``benchmark.yaml`` says, else a digest of the folder's content."""
        if self.file.version is not None:
            return self.file.version
        return tree_digest(self.folder)

    def ids(self) -> Sequence[str]:
        """The decoded names of the subfolders, sorted; those that begin with ``.`` or ``_`` are no tasks."""
        return sorted(map(from_file_name, self._folders))

    def split(self, name: str) -> Sequence[str]:
        """See ``Benchmark.split``."""
        return self.file.splits[name] if name in self.file.splits else super().split(name)

    def controls_file(self, task: str) -> Path:
        """``controls.json`` in the task's folder."""
        return self._folder(task) / "controls.json"

    def tests_file(self, task: str) -> Path:
        """``tests.json`` in the task's folder."""
        return self._folder(task) / "tests.json"

    def load(self, name: str) -> Task:
        """See ``Benchmark.load``."""
        folder = self._folder(name)
        said = _parse(TaskFile, folder / "task.yaml", self.file.defaults)
        tests = {
            "command": said.test_command,
            **said.model_dump(include={"runner", "visible", "fail_to_pass", "pass_to_pass", "unstable"}),
            **said.model_dump(include={"share_sandbox", "timeout", "processes"}),
            "hidden": files_in(folder / "hidden"),
            "controls": read_controls(self.controls_file(name)),
        }
        gold, script = folder / "gold.patch", folder / "gold.sh"
        try:
            return Task(
                id=name,
                benchmark=self.name,
                problem=said.problem,
                source=self._source(said.source, folder),
                tests=Tests.model_validate(tests),
                environment=said.environment,
                editable=said.editable or Task.model_fields["editable"].default,
                gold_patch=read_text(gold) if gold.exists() else None,
                gold_script=read_text(script) if script.exists() else None,
                question=said.question,
                limits=said.limits,
                metadata={**said.metadata, **({"category": said.category} if said.category else {})},
            )
        except ValidationError as error:
            raise TaskError(f"{folder} is not a task: {first_problem(error)}") from None

    @cached_property
    def _folders(self) -> list[str]:
        return [
            path.name
            for path in self.folder.iterdir()
            if path.is_dir() and not path.name.startswith((".", "_"))
        ]

    def _folder(self, task: str) -> Path:
        return next(self.folder / name for name in self._folders if from_file_name(name) == task)

    def _source(self, source: Source | None, folder: Path) -> Source:
        """The source with its paths from the task's folder on. A benchmark comes from strangers, and what it
        names is shown to a model: nothing outside of its own folder is taken."""
        if source is None:
            if not (folder / "repo").is_dir():
                raise TaskError(f"{folder / 'repo'} is missing: put the repository there, or set source")
            return DirectorySource(path=folder / "repo")
        if isinstance(source, DirectorySource | ArchiveSource):
            source = source.model_copy(update={"path": self._inside(folder, str(source.path))})
        if isinstance(source, GitSource) and not _REMOTE.match(source.url):
            if ":" in source.url:
                raise TaskError(f"{folder / 'task.yaml'}: source: {source.url} is no address of a server")
            source = source.model_copy(update={"url": str(self._inside(folder, source.url))})
        patch = folder / "bug.patch"
        if isinstance(source, GitSource | ArchiveSource) and source.bug_patch is None and patch.exists():
            return source.model_copy(update={"bug_patch": read_text(patch)})
        return source

    def _inside(self, folder: Path, path: str) -> Path:
        full = (folder / path).resolve()
        if not full.is_relative_to(self.folder):
            raise TaskError(f"{folder / 'task.yaml'}: source: {path} lies outside of the benchmark's folder")
        return full


def is_benchmark(path: str | Path) -> bool:
    """Whether a folder holds a benchmark."""
    return (Path(path).expanduser() / DESCRIPTION).is_file()


def _parse(kind: type[T], path: Path, defaults: Mapping[str, Any] | None = None) -> T:
    try:
        said = yaml.safe_load(read_text(path))
        return kind.model_validate({**(defaults or {}), **said} if isinstance(said, dict) else said)
    except yaml.YAMLError as error:
        raise TaskError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        what = "a task" if kind is TaskFile else "a benchmark"
        raise TaskError(f"{path} does not describe {what}: {first_problem(error)}") from None
