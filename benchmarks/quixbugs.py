"""QuixBugs: classic algorithms with one wrong line each. ``docs/benchmarks/quixbugs.md`` tells more."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from debug_gym.benchmarks.base import Benchmark, Card
from debug_gym.benchmarks.data import read, read_text, repository, tree_digest
from debug_gym.diff import unified_diff
from debug_gym.task import FilesSource, Task, Tests

URL = "https://github.com/jkoppel/QuixBugs"
COMMIT = "4257f44b0ff1181dedaedee6a447e133219fcebf"
HELPERS = ("conftest.py", "python_testcases/load_testdata.py", "python_testcases/node.py")
PROBLEM = (
    "One line of the function in `{program}` is wrong, as its tests in `{test}` show. Find it and fix it."
)


class QuixBugs(Benchmark):
    """A program a task. Of the cases in JSON the agent sees about half; the judge has them all."""

    name = "quixbugs"
    description = "40 classic algorithms with one wrong line each; option: data_dir."
    card = Card(
        source=URL, citation="D. Lin et al., QuixBugs: A Multi-Lingual Program Repair Benchmark, 2017"
    )

    def __init__(self, data_dir: str | Path | None = None) -> None:
        self.data_dir = data_dir

    @cached_property
    def root(self) -> Path:
        """The repository's files. They are fetched if need be."""
        return repository(URL, COMMIT, data_dir=self.data_dir).path

    @cached_property
    def version(self) -> str:  # type: ignore[override]
        """Of what a task is made of: the data, and how ``load`` makes tasks of it."""
        return f"1-{tree_digest(self.root)}"

    def ids(self) -> Sequence[str]:
        """The names of the algorithms."""
        return sorted(path.stem[len("test_") :] for path in self.root.glob("python_testcases/test_*.py"))

    def load(self, name: str) -> Task:
        """See ``Benchmark.load``."""
        program, test = f"python_programs/{name}.py", f"python_testcases/test_{name}.py"
        cases = f"json_testcases/{name}.json"  # a case a line; nine algorithms have their cases in the test
        hidden = {path: read(self.root / path) for path in (test, *HELPERS)}
        visible = dict(hidden)
        if (self.root / cases).exists():
            hidden[cases] = read(self.root / cases)
            lines = hidden[cases].splitlines(keepends=True)
            visible[cases] = b"".join((*lines[:2], *lines[2::2]))
        broken, fixed = read_text(self.root / program), read_text(self.root / f"correct_{program}")
        return Task(
            id=name,
            benchmark=self.name,
            problem=PROBLEM.format(program=program, test=test),
            source=FilesSource(files={**visible, program: broken}),
            tests=Tests(visible=(test,), hidden=dict(hidden), timeout=20),
            gold_patch=unified_diff(broken, fixed, f"a/{program}", f"b/{program}"),
        )
