"""What a benchmark is."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from debug_gym.errors import UnknownNameError
from debug_gym.task import Task


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

    def twins_file(self, task: str) -> Path | None:
        """The JSON file that holds the twins of a task (see ``debug_gym.task.Twin``), whether or not it
        exists; None: this benchmark does not store any."""
        return None

    def __len__(self) -> int:
        return len(self.tasks)
