"""BugsInPy: bugs of real Python projects, each with the commit that fixed it and the tests of the fix.

``docs/benchmarks/bugsinpy.md`` tells more. ``bug.py`` reads their files, ``environments.py`` makes the
virtual environments that their tests need.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from debug_gym.benchmarks.base import Benchmark, Card
from debug_gym.benchmarks.bugsinpy.bug import Bug
from debug_gym.benchmarks.data import repository, tree_digest
from debug_gym.cache import cache_folder
from debug_gym.errors import ConfigError, UnknownNameError
from debug_gym.task import Environment, GitSource, Task, Tests

URL = "https://github.com/soarsmu/BugsInPy"
COMMIT = "11c5f1eea954a42132cfd06bf257766a7963e0fd"
_FOLDERS = {"ansible": "lib", "matplotlib": "lib"}
"""Project to the folder that holds its packages, where that is not the repository itself."""
_PROBLEM = """\
There is a bug in {project}. These tests fail because of it:

{tests}

Find the bug and fix it, without changing any test.
"""


def environments_folder() -> Path:
    """Where the virtual environments are unless another folder is named."""
    return cache_folder() / "environments" / "bugsinpy"


class BugsInPy(Benchmark):
    """A bug a task: the tests that its fix brought must pass."""

    name = "bugsinpy"
    description = "501 bugs of 17 Python projects; options: environments, repositories, data_dir."
    card = Card(
        source=URL,
        citation="R. Widyasari et al., BugsInPy: A Database of Existing Bugs in Python Programs, 2020",
    )

    def __init__(
        self,
        data_dir: str | Path | None = None,
        environments: str | Path | None = None,
        repositories: str | Path | None = None,
    ) -> None:
        """Say where things are. The projects' repositories are fetched when a task is played.

        Args:
            data_dir: a copy of BugsInPy's repository on disk.
            environments: a folder with a virtual environment for each task (``black-3``) or for all tasks of
                a project (``black``); None: the one that ``python -m debug_gym.benchmarks.bugsinpy`` fills.
            repositories: a folder with clones of the projects by their name (``black``), which are taken in
                place of those on GitHub.
        """
        self.data_dir = data_dir
        self.environments = Path(environments).expanduser() if environments else environments_folder()
        self.repositories = Path(repositories).expanduser() if repositories else None

    @cached_property
    def projects(self) -> Path:
        """The folder of the projects.

        Raises:
            ConfigError: the copy on disk has none.
        """
        root = repository(URL, COMMIT, data_dir=self.data_dir).path
        if not (root / "projects").is_dir():
            raise ConfigError(f"{root} is no copy of {URL}: it has no folder projects")
        return root / "projects"

    @cached_property
    def version(self) -> str:  # type: ignore[override]
        """A digest of the files of all bugs."""
        return tree_digest(self.projects)

    @cached_property
    def splits(self) -> tuple[str, ...]:  # type: ignore[override]
        """The projects."""
        return tuple(sorted(path.name for path in self.projects.iterdir() if (path / "bugs").is_dir()))

    def ids(self) -> Sequence[str]:
        """``project-number``, by project and number."""
        return [name for project in self.splits for name in self.split(project)]

    def split(self, name: str) -> Sequence[str]:
        """The bugs of a project."""
        if name not in self.splits:
            raise UnknownNameError("split", name, self.splits)
        numbers = (
            path.parent.name
            for path in (self.projects / name).glob("bugs/*/bug_patch.txt")
            if path.stat().st_size
        )
        return [f"{name}-{number}" for number in sorted(numbers, key=int)]

    def bug(self, name: str) -> Bug:
        """What is known of a task's bug.

        Raises:
            TaskError: its files are missing or broken.
        """
        project, _, number = name.rpartition("-")
        return Bug(self.projects / project / "bugs" / number)

    def load(self, name: str) -> Task:
        """See ``Benchmark.load``. The repository is the fixed one with the fix taken back, so that it has the
        tests that came with it, as BugsInPy's own checkout does."""
        bug = self.bug(name)
        found = bug.tests
        return Task(
            id=name,
            benchmark=self.name,
            problem=_PROBLEM.format(
                project=bug.project, tests="\n".join(f"- `{test}`" for test in found.names)
            ),
            source=GitSource(
                url=self.url(bug), commit=bug.info["fixed_commit_id"], bug_patch=bug.fix, reverse=True
            ),
            tests=Tests(
                command=found.command,
                visible=found.names,
                timeout=120.0,
            ),
            environment=Environment(
                python=str(self._environment(bug)),
                variables={"PYTHONPATH": _FOLDERS.get(bug.project, ".")},
            ),
            gold_patch=bug.fix,
            metadata={
                "category": bug.project,
                "package": bug.project,
                "python_version": bug.info["python_version"],
            },
        )

    def url(self, bug: Bug) -> str:
        """Where the repository of a bug's project is."""
        return bug.url if self.repositories is None else str(self.repositories / bug.project)

    def _environment(self, bug: Bug) -> Path:
        own = self.environments / bug.id
        shared = self.environments / bug.project
        return shared if shared.exists() and not own.exists() else own
