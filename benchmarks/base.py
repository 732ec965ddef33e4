"""What a benchmark is."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from debug_gym.benchmarks.data import tree_digest
from debug_gym.benchmarks.found import read_found
from debug_gym.cache import cache_folder
from debug_gym.errors import ConfigError, TaskError, UnknownNameError
from debug_gym.task import Frozen, NegativeControl, Task, file_name

_stored = TypeAdapter(tuple[NegativeControl, ...])


class Card(Frozen):
    """Where a benchmark comes from, and what may be done with it. ``debug-gym list NAME`` shows it."""

    source: str = ""
    """Address of its home."""
    licence: str = ""
    citation: str = ""
    """The publication to cite."""


class Benchmark(ABC):
    """A named, versioned collection of tasks: ``ids`` tells which, ``load`` makes one of them.

    Neither fetches a repository: a task's source says where it is, and whoever plays the task fetches it.
    """

    name: str
    version: str
    """Changes whenever a task does: results of different versions are never mixed."""
    description: str
    """One sentence for ``debug-gym list``."""
    card: Card = Card()
    files: Mapping[str, str] = {}
    """A digest of each file whose change makes another version, where that is worth telling by name."""
    own_modules: Sequence[str] | None = None
    """Not None: nobody has validated these tasks, so that the tests are run once before anybody plays; these
    modules must then come from the repository, not from an installed copy of it."""
    splits: tuple[str, ...] = ()
    """Names of parts that can be asked for by ``--split``."""

    @abstractmethod
    def ids(self) -> Sequence[str]:
        """The ids of all tasks, in a fixed order."""

    @abstractmethod
    def load(self, name: str) -> Task:
        """Make the task with this id, which is one of ``ids``.

        Raises:
            TaskError: its files are missing or broken; the message names the file.
        """

    def split(self, name: str) -> Sequence[str]:
        """The ids of a part.

        Raises:
            ConfigError: this benchmark has no parts.
            UnknownNameError: it has none of this name.
        """
        if self.splits:
            raise UnknownNameError("split", name, self.splits)
        raise ConfigError(f"the benchmark {self.name!r} has no splits")

    def task(self, name: str) -> Task:
        """The task with this id, made once. Tests that were found for it, and controls that are kept for it,
        are added where it brings none.

        Raises:
            UnknownNameError: there is none; the message names the nearest.
            TaskError: see ``load``.
        """
        if name not in self._made:
            if name not in self._known:
                raise UnknownNameError("task", name, self._known)
            made = self.load(name)
            added: dict[str, Any] = {}
            if not made.tests.required:
                added |= dict(read_found(self.tests_file(name)))
            if not made.tests.controls and self._controls_folder.exists():
                added["controls"] = read_controls(self.controls_file(name))
            tests = made.tests.model_copy(update=added)
            self._made[name] = made.model_copy(update={"tests": tests}) if added else made
        return self._made[name]

    @cached_property
    def tasks(self) -> Mapping[str, Task]:
        """All tasks by id, in order. Each is made when it is asked for."""
        return Tasks(self, tuple(self.ids()))

    def controls_file(self, task: str) -> Path:
        """The JSON file that holds the controls of a task (a ``NegativeControl`` each), whether or not it
        exists. Unless a benchmark has a place of its own for them, they are in the cache."""
        return self._controls_folder / file_name(self.version) / f"{file_name(task)}.json"

    def tests_file(self, task: str) -> Path:
        """The JSON file that holds the tests which were found for a task (``FoundTests``), whether or not it
        exists. Unless a benchmark has a place of its own for them, they are in the cache."""
        return self._found_folder / f"{file_name(task)}.json"

    @property
    def state(self) -> str:
        """``version``, and which tests were found where the cache has them: they decide, too."""
        folder = self._found_folder
        return f"{self.version}+{tree_digest(folder)}" if folder.exists() else self.version

    def __len__(self) -> int:
        return len(self._known)

    @property
    def _found_folder(self) -> Path:
        return cache_folder() / "tests" / self.name / file_name(self.version)

    @property
    def _controls_folder(self) -> Path:
        return cache_folder() / "controls" / self.name

    @cached_property
    def _known(self) -> dict[str, None]:
        return dict.fromkeys(self.ids())

    @cached_property
    def _made(self) -> dict[str, Task]:
        return {}


class Tasks(Mapping[str, Task]):
    """Some tasks of a benchmark by id, in a certain order. Each is made when it is asked for."""

    def __init__(self, benchmark: Benchmark, ids: tuple[str, ...]) -> None:
        self.benchmark, self.ids = benchmark, ids

    @property
    def first(self) -> Task:
        """The first of them; there must be one."""
        return self.benchmark.task(self.ids[0])

    def __getitem__(self, name: str) -> Task:
        if name not in self.ids:
            raise KeyError(name)
        return self.benchmark.task(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.ids)

    def __len__(self) -> int:
        return len(self.ids)


def read_controls(path: Path) -> tuple[NegativeControl, ...]:
    """The negative controls that a JSON file holds, a list of ``debug_gym.task.NegativeControl``; none if
    there is no such file.

    Raises:
        TaskError: it cannot be read, or holds something else.
    """
    try:
        return _stored.validate_json(path.read_bytes()) if path.exists() else ()
    except OSError as error:
        raise TaskError(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise TaskError(f"{path} does not hold controls: {first_problem(error)}") from None


def first_problem(error: ValidationError) -> str:
    """What is wrong with a value, and where, in a few words."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message
