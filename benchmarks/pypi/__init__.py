"""Bugs that releases of packages fixed: here lies the recipe, and ``debug-gym build pypi`` makes the tasks.

The recipe holds facts: which releases, which lines, which tests, and digests of what is made of them. The
code is its authors'; it comes from the package index.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from debug_gym.benchmarks.base import Benchmark, Card
from debug_gym.benchmarks.data import NotFetchedError, read_text, tree_digest
from debug_gym.benchmarks.folder import DESCRIPTION, FolderBenchmark
from debug_gym.cache import cache_folder
from debug_gym.errors import ConfigError
from debug_gym.task import Frozen, Task, file_name, from_file_name

RECIPES = Path(__file__).with_name("recipes")


class NotBuiltError(ConfigError, NotFetchedError):
    """The code of a task has not been taken from the package index yet."""


class Sdist(Frozen):
    """The source distribution of a release."""

    package: str
    version: str
    sha256: str


class Part(Frozen):
    """Lines of a source file of the newer release, and those of the older one that take their place."""

    path: str
    start: int = 0
    end: int = 0
    new_start: int = 0
    new_end: int = 0
    whole: bool = False
    """The file as a whole."""
    kept: bool = False
    """The fix does not need it: these lines stay as they were in the older release."""


class Cut(Frozen):
    """Lines of a test file that the agent does not see."""

    start: int
    end: int
    text: str = ""
    """What stands there instead."""


class Edit(Frozen):
    """A negative control, without the text that it replaces. See ``debug_gym.task.NegativeControl``."""

    test: str
    path: str
    line: int
    column: int
    size: int
    """Characters that are replaced."""
    new: str
    sharp: bool = False
    renamed: str = ""


class Recipe(Frozen):
    """How a task is made of two releases."""

    older: Sdist
    newer: Sdist
    additions: dict[str, str] = Field(default_factory=dict)
    """Path to the text of a file that the repository needs and only its build makes."""
    tree: str
    """Digest of the repository's files, those included."""
    parts: tuple[Part, ...]
    hidden: tuple[str, ...]
    """Test files of which the agent sees only what ``cuts`` leaves."""
    cuts: dict[str, tuple[Cut, ...]] = Field(default_factory=dict)
    controls: tuple[Edit, ...] = ()
    task: dict[str, Any]
    """What stands in ``task.yaml``."""
    digest: str
    """Of all files of the task's folder."""


class Pypi(Benchmark):
    """The tasks of the recipe, as ``debug-gym build pypi`` has made them in the cache."""

    name = "pypi"
    description = "Bugs that releases of packages fixed; first:  debug-gym build pypi"
    card = Card(source="source distributions of the package index", licence="each task's own: MIT, BSD, ...")

    @cached_property
    def version(self) -> str:  # type: ignore[override]
        """A digest of the recipe."""
        return tree_digest(RECIPES)

    def ids(self) -> Sequence[str]:
        """Package, newer version and a digest of what is taken back, sorted."""
        return sorted(from_file_name(path.stem) for path in RECIPES.glob("*.yaml"))

    def load(self, name: str) -> Task:
        """See ``Benchmark.load``.

        Raises:
            NotBuiltError: it is not built yet.
            ConfigError: it is not what the recipe makes.
        """
        folder = built_folder()
        task = folder / file_name(name)
        if not (folder / DESCRIPTION).is_file() or not task.is_dir():
            raise NotBuiltError(
                f"{name} is not built yet: its code comes from the package index by  debug-gym build pypi"
            )
        if tree_digest(task) != read_recipe(name).digest:
            raise ConfigError(f"{task} is not what the recipe makes: build it anew by  debug-gym build pypi")
        return FolderBenchmark(folder).load(name)


def built_folder() -> Path:
    """Where the tasks are made."""
    return cache_folder() / "built" / "pypi"


def read_recipe(name: str) -> Recipe:
    """How the task with this id is made."""
    return Recipe.model_validate(yaml.safe_load(read_text(RECIPES / f"{file_name(name)}.yaml")))
