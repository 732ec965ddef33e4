"""A benchmark whose tasks are the rows of a data set, each with an image."""

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from debug_gym.benchmarks.base import Benchmark
from debug_gym.benchmarks.data import Rows, dataset
from debug_gym.benchmarks.swe.rows import patched_files
from debug_gym.errors import ConfigError
from debug_gym.task import TESTS_AND_CONFIGURATION, Limits, Task
from debug_gym.task.task import editable_paths

FORMAT = "1"
"""Part of the version: changes with how rows become tasks."""
EDITABLE = ("*", *TESTS_AND_CONFIGURATION)
"""Fixes of these benchmarks also touch documentation, templates and extensions in C."""
LIMITS = Limits(memory=4 << 30, disk=2 << 30, processes=1024, command_timeout=120.0)
TIMEOUT = 1800.0
"""Seconds for the tests of a task, as in swebench."""
CONDA = ("source /opt/miniconda3/bin/activate", "conda activate testbed")
"""What SWE-bench's harness runs before anything else in an image."""


class SweBenchmark(Benchmark):
    """The rows of a data set of the Hugging Face hub, or of a copy on disk."""

    dataset: ClassVar[str]
    """``owner/name`` on the hub."""
    default_split: ClassVar[str] = "test"
    key: ClassVar[str] = "instance_id"
    """The column that names the tasks."""

    def __init__(
        self,
        data_dir: str | Path | None = None,
        *,
        data_split: str | None = None,
        revision: str = "main",
    ) -> None:
        """Describe where the rows are; nothing is fetched yet.

        Args:
            data_dir: a copy of the data set: a parquet, JSON Lines or JSON file, or a folder with such files.
            data_split: the split of the data set; None: the one that the benchmark's home scores.
            revision: of the data set: a branch, tag or commit.
        """
        self._data_dir, self._revision = data_dir, revision
        self.data_split = data_split or self.default_split

    @cached_property
    def rows(self) -> Rows:
        """The rows by id.

        Raises:
            ConfigError, HostError, MissingExtraError: they cannot be had; see ``benchmarks.data``.
        """
        return dataset(
            self.dataset, self.data_split, revision=self._revision, key=self.key, data_dir=self._data_dir
        )

    @cached_property
    def version(self) -> str:  # type: ignore[override]
        """A digest of the data set's files."""
        return f"{self.rows.digest}-{FORMAT}"

    def ids(self) -> Sequence[str]:
        """The ids of all rows that are tasks in Python, in their order. No other column is read."""
        found = tuple(self.rows)
        if not found:
            raise ConfigError(f"{self.dataset} has no rows in its split {self.data_split}")
        return found

    def load(self, name: str) -> Task:
        """See ``Benchmark.load``."""
        return self.task_of(self.rows[name])

    @abstractmethod
    def task_of(self, row: dict[str, Any]) -> Task:
        """Make a task of a row."""

    def where(self, row: dict[str, Any]) -> str:
        """What messages call a row."""
        return f"{self.dataset} ({row.get(self.key)})"


def editable(gold: str) -> tuple[str, ...]:
    """Which changes count: all but those of tests and their configuration; and the files of the fix, where
    its repository has sources that look like tests."""
    counts = editable_paths(EDITABLE)
    return (*EDITABLE, *(f"/{path}" for path in patched_files(gold) if not counts.match_file(path)))
