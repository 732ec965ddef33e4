"""Aider's benchmark: the exercises of Exercism's Python track, to be solved until their tests pass.

Two editions: all practice exercises of the track, as the reference implementation plays them, and the 34 that
Aider chose for its polyglot benchmark, as they were then. ``docs/benchmarks/aider.md`` tells more.
"""

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from debug_gym.benchmarks.base import Benchmark, Card
from debug_gym.benchmarks.data import files_in, read_text, repository, tree_digest
from debug_gym.diff import NOWHERE, unified_diff
from debug_gym.errors import ConfigError, TaskError, UnknownNameError
from debug_gym.task import FilesSource, Task, Tests

EDITIONS = {
    "exercism": (
        "https://github.com/exercism/python",
        "9eb657d4507d91efef99f484e7f2a1f4074911b5",
        "exercises/practice",
    ),
    "polyglot": (
        "https://github.com/Aider-AI/polyglot-benchmark",
        "7e0611e77b54e2dea774cdc0aa00cf9f7ed6144f",
        "python/exercises/practice",
    ),
}
"""Name to the address of a repository, its commit, and the folder of the exercises in it."""
REFACTORINGS = frozenset({"ledger", "markdown"})
"""Exercises that begin with code that passes all tests and is to be made beautiful: nothing can be judged."""
_TASK = """\
{text}

Do this in {files}, which is there with nothing in it yet but names. Keep these names: the tests in {tests} \
use them. Only the standard library is there.
"""
_DOCUMENTS = ("introduction.md", "instructions.md", "instructions.append.md")


class Aider(Benchmark):
    """An exercise a task: the agent gets the stub and the tests, and all of these must pass."""

    name = "aider"
    description = "Exercism's Python exercises, as Aider's benchmark has them; options: edition, data_dir."

    def __init__(self, edition: str = "exercism", data_dir: str | Path | None = None) -> None:
        """Say where the exercises are.

        Args:
            edition: ``exercism`` or ``polyglot``.
            data_dir: a copy of the edition's repository on disk.

        Raises:
            UnknownNameError: there is no such edition.
        """
        if edition not in EDITIONS:
            raise UnknownNameError("edition", edition, EDITIONS)
        self.edition, self.data_dir = edition, data_dir
        url = EDITIONS[edition][0]
        self.card = Card(source=url, licence="MIT", citation="P. Gauthier, aider.chat/docs/benchmarks.html")

    @cached_property
    def folder(self) -> Path:
        """Where the exercises are. They are fetched if need be.

        Raises:
            ConfigError: the copy on disk has none.
        """
        url, commit, below = EDITIONS[self.edition]
        root = repository(url, commit, data_dir=self.data_dir).path
        if not (root / below).is_dir():
            raise ConfigError(f"{root} is no copy of {url}: it has no folder {below}")
        return root / below

    @cached_property
    def version(self) -> str:  # type: ignore[override]
        """A digest of all exercises."""
        return f"{self.edition}-{tree_digest(self.folder)}"

    def ids(self) -> Sequence[str]:
        """The names of the exercises, as Exercism writes them (``two-fer``), without ``REFACTORINGS``."""
        names = {path.parent.parent.name for path in self.folder.glob("*/.meta/config.json")}
        return sorted(names - REFACTORINGS)

    def load(self, name: str) -> Task:
        """See ``Benchmark.load``. What begins with a dot stays behind: in ``.meta`` and ``.approaches`` are
        solutions."""
        exercise = self.folder / name
        config = _config(exercise)
        given = {
            path: content
            for path, content in files_in(exercise).items()
            if not any(part.startswith(".") for part in path.split("/"))
        }
        return Task(
            id=name,
            benchmark=self.name,
            problem=_TASK.format(
                text="\n".join(_documents(exercise)).strip(),
                files=_listed(config["solution"]),
                tests=_listed(config["test"]),
            ),
            source=FilesSource(files=dict(given)),
            tests=Tests(visible=tuple(config["test"])),
            gold_patch=_gold_patch(exercise, config, given),
            metadata={"category": self.edition},
        )


def _config(exercise: Path) -> dict[str, Any]:
    """Which files of an exercise are its ``solution``, its ``test`` and its ``example``."""
    path = exercise / ".meta/config.json"
    try:
        files: dict[str, Any] = json.loads(path.read_bytes())["files"]
        if missing := {"solution", "test", "example"} - files.keys():
            raise KeyError(min(missing))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TaskError(f"{path} does not describe an exercise: {error}") from None
    return files


def _documents(exercise: Path) -> Iterator[str]:
    for name in _DOCUMENTS:
        path = exercise / ".docs" / name
        if path.exists():
            yield read_text(path)


def _listed(paths: Sequence[str]) -> str:
    return " and ".join(f"`{path}`" for path in paths)


def _gold_patch(exercise: Path, config: dict[str, Any], given: dict[str, bytes]) -> str:
    """From the stubs to the example solution."""
    patch = ""
    for stub, example in zip(config["solution"], config["example"], strict=False):
        solved = read_text(exercise / example)
        old = given.get(stub, b"").decode(errors="replace")
        patch += unified_diff(old, solved, f"a/{stub}" if stub in given else NOWHERE, f"b/{stub}")
    return patch
