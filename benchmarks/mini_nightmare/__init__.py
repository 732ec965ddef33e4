"""mini-nightmare: ten small programs of the reference implementation, each with one bug.

They come without solutions; ``fixes.py`` has some of ours. ``docs/benchmarks/mini-nightmare.md`` tells more.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from debug_gym.benchmarks.base import Benchmark, Card
from debug_gym.benchmarks.data import files_in, read_text, repository, tree_digest
from debug_gym.benchmarks.mini_nightmare.fixes import FIXES, edited
from debug_gym.diff import unified_diff
from debug_gym.errors import ConfigError
from debug_gym.task import Environment, FilesSource, Task, Tests

URL = "https://github.com/microsoft/debug-gym"
COMMIT = "b19cb6a20fadc88890d8e954694741d881ab061b"
FOLDERS = ("data/mini_nightmare", "mini_nightmare", ".")
"""Where the tasks lie in the repository, or in the archive that its releases have."""
TEST = "test.py"
PANDAS = "pandas_dataframe"
"""The task whose program downloads a table, which a sandbox cannot."""
_PROBLEM = (
    "The program does not do what it should: its tests fail. Find the cause, which may not be where you "
    "look first, and fix it."
)
_READ_CSV = '''\
"""The program downloads a table; there is no network, so that it reads a copy."""

import pandas

_read = pandas.read_csv
pandas.read_csv = lambda address, *more, **options: _read("titanic.csv", *more, **options)
'''


class MiniNightmare(Benchmark):
    """A program a task: the agent sees its tests, and all of these must pass."""

    name = "mini-nightmare"
    description = "Ten small programs of the reference implementation; options: data_dir, titanic, python."
    card = Card(
        source=URL,
        licence="MIT",
        citation="X. Yuan et al., debug-gym: A Text-Based Environment for Interactive Debugging, 2025",
    )

    def __init__(
        self,
        data_dir: str | Path | None = None,
        titanic: str | Path | None = None,
        python: str | Path | None = None,
    ) -> None:
        """Say where the programs are.

        Args:
            data_dir: a copy of the repository, or of the folder ``mini_nightmare``, on disk.
            titanic: the table that the program of ``pandas_dataframe`` downloads (its code has the address).
                Sandboxes have no network, so that the task is left out without it.
            python: a virtual environment or an interpreter with pytest, and pandas for that task; None: the
                one that runs the gym.
        """
        self.data_dir, self.titanic, self.python = data_dir, titanic, python

    @cached_property
    def folder(self) -> Path:
        """Where the tasks are. They are fetched if need be.

        Raises:
            ConfigError: the copy on disk has none.
        """
        root = repository(URL, COMMIT, data_dir=self.data_dir).path
        for folder in FOLDERS:
            if list((root / folder).glob(f"*/{TEST}")):
                return root / folder
        raise ConfigError(f"{root} holds no copy of mini-nightmare: there is no folder with a {TEST} in it")

    @cached_property
    def version(self) -> str:  # type: ignore[override]
        """A digest of all tasks."""
        return tree_digest(self.folder)

    def ids(self) -> Sequence[str]:
        """The names of the folders, without the task that lacks its table."""
        names = sorted(path.parent.name for path in self.folder.glob(f"*/{TEST}"))
        return [name for name in names if name != PANDAS or self.titanic is not None]

    def load(self, name: str) -> Task:
        """See ``Benchmark.load``."""
        files = {
            path: content
            for path, content in files_in(self.folder / name).items()
            if not path.startswith(".")
        }
        program = f"{name}_code.py"
        code = read_text(self.folder / name / program)
        if name == PANDAS and self.titanic is not None:
            table = Path(self.titanic).expanduser()
            files |= {"titanic.csv": read_text(table).encode(), "conftest.py": _READ_CSV.encode()}
        return Task(
            id=name,
            benchmark=self.name,
            problem=_PROBLEM,
            source=FilesSource(files=dict(files)),
            tests=Tests(command=("python", "-m", "pytest", TEST), visible=(TEST,)),
            environment=Environment(python=None if self.python is None else str(self.python)),
            editable=("*.py", f"!{TEST}", "!conftest.py"),
            gold_patch=unified_diff(code, edited(code, FIXES[name]), f"a/{program}", f"b/{program}")
            if name in FIXES
            else None,
        )
