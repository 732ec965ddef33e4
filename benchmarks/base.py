"""What a benchmark is."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from debug_gym.errors import TaskError, UnknownNameError
from debug_gym.task import NegativeControl, Task

_stored = TypeAdapter(tuple[NegativeControl, ...])


class Benchmark(ABC):
    """A named, versioned collection of tasks."""

    name: str
    version: str
    description: str
    """One sentence for ``debug-gym list``."""

    @abstractmethod
    def load(self) -> Iterator[Task]:
        """Yield the tasks in a fixed order.

        Raises:
            TaskError: a task's files are missing or broken; the message names the file.
        """

    @cached_property
    def tasks(self) -> dict[str, Task]:
        """All tasks by id, in order. Loaded once."""
        return {task.id: task for task in self.load()}

    def task(self, name: str) -> Task:
        """The task with this id.

        Raises:
            UnknownNameError: there is none; the message names the nearest.
        """
        if name not in self.tasks:
            raise UnknownNameError("task", name, self.tasks)
        return self.tasks[name]

    def controls_file(self, task: str) -> Path | None:
        """The JSON file that holds the controls of a task (a ``NegativeControl`` each), whether or not it
        exists; None: this benchmark does not store any."""
        return None

    def __len__(self) -> int:
        return len(self.tasks)


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
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise TaskError(f"{path} does not hold controls: {where}: {first['msg']}") from None
