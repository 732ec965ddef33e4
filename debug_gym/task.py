"""What a task is: one broken repository, what the agent is told, and how a fix is judged.

Immutable data with no behaviour beyond simple questions about itself. Imports nothing of debug-gym.
"""

from collections.abc import Collection
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import pathspec
from pydantic import BaseModel, ConfigDict, Field

TESTS_AND_CONFIGURATION = (
    "!test_*.py",
    "!*_test.py",
    "!tests.py",
    "!tests/",
    "!/test/",
    "!conftest.py",
    "!sitecustomize.py",
    "!usercustomize.py",
    "!pytest.ini",
    "!tox.ini",
    "!setup.cfg",
    "!pyproject.toml",
)
"""Globs (gitignore syntax) of what decides how tests run: by default, changes to them do not count."""


def _with_content(glob: str) -> tuple[str, ...]:
    """A glob, and where it takes a folder out, one for all that lies in it: git itself would only look into
    the folder again, and let an earlier ``*.py`` count there."""
    if not (glob.startswith("!") and glob.endswith("/")):
        return (glob,)
    anywhere = "" if "/" in glob[1:-1] else "**/"
    return (glob, f"!{anywhere}{glob[1:]}**")


class Frozen(BaseModel):
    """Base of the immutable data types: no unknown keys, no changes after validation."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DirectorySource(Frozen):
    """The repository is a folder on the host. It is copied; the original is never touched."""

    kind: Literal["directory"] = "directory"
    path: Path
    exclude: tuple[str, ...] = (
        ".git",
        ".venv",
        "venv",
        "__pycache__",
        ".pytest_cache",
        "node_modules",
        ".tox",
    )
    """Names of files and folders that are left out, at any depth; ``*`` and ``?`` are wildcards."""

    def left_out(self, folder: str, names: Collection[str]) -> set[str]:
        """Which of the names in a folder of the repository are left out.

        Those of ``exclude``, and the folders of runs: a run may well be stored in the repository that it is
        about, and holds the fixes of earlier attempts.
        """
        patterns = (".git", *self.exclude)
        return {
            name
            for name in names
            if any(fnmatch(name, pattern) for pattern in patterns) or _is_run(Path(folder, name))
        }


def _is_run(path: Path) -> bool:
    return all((path / name).exists() for name in (".lock", "config.json", "trajectories"))


class ArchiveSource(Frozen):
    """The repository is a ``.tar``, ``.tar.gz``, ``.tar.xz`` or ``.zip`` file on the host."""

    kind: Literal["archive"] = "archive"
    path: Path
    strip: int = 1
    """How many leading folders of each member's name to drop (sdists have one)."""


class GitSource(Frozen):
    """The repository is one commit of a git repository. Its history is not shipped: it may hold the fix."""

    kind: Literal["git"] = "git"
    url: str
    """Anything that ``git fetch`` accepts: a URL or a path."""
    commit: str
    """A full commit hash, tag or branch."""


Source = Annotated[DirectorySource | ArchiveSource | GitSource, Field(discriminator="kind")]


class NegativeControl(Frozen):
    """A negative control: an edit of a test file after which one test must fail, whatever the fix is.

    Whoever makes it pass does not compute what the test asks for but makes tests pass.
    """

    test: str
    """Id of the test that must fail."""
    path: str
    """The test file, relative to the workspace."""
    line: int = Field(ge=1)
    column: int = Field(ge=0)
    """Where the edit begins, in characters from the start of the line."""
    old: str
    """What stands there."""
    new: str
    """What stands there instead in the control."""
    sharp: bool = False
    """The edit lies where the broken code fails, so that code which is not fixed cannot tell the control from
    the original by what it computes."""


class Tests(Frozen):
    """How the repository is tested, and which tests decide."""

    __test__ = False  # a pytest that imports this name must not try to collect it

    command: tuple[str, ...] = ("python", "-m", "pytest")
    """The test command, run in the workspace. A pytest command runs warm; any other one counts as a single
    test named ``command`` that passes if it exits with 0."""
    visible: tuple[str, ...] = ()
    """Paths in the workspace that ``eval`` runs; empty: whatever the command collects by itself."""
    hidden: dict[str, str] = Field(default_factory=dict, repr=False)
    """Path in the workspace to text of test files that only the judge has."""
    fail_to_pass: tuple[str, ...] = ()
    """Test ids that fail before the fix and must pass after it."""
    pass_to_pass: tuple[str, ...] = ()
    """Test ids that pass before the fix and must still pass after it."""
    unstable: tuple[str, ...] = ()
    """Test ids that pass and fail at random even with the fix: they do not count."""
    controls: tuple[NegativeControl, ...] = Field(default=(), repr=False)
    """Negative controls, validated against the gold patch when the benchmark was built."""
    share_sandbox: bool = False
    """The required tests may run together in one sandbox of the judge (for suites that are too large to
    give each test its own). The same is demanded of each of them."""
    timeout: float = Field(default=60.0, gt=0)
    """Seconds for one run of all tests."""

    @property
    def required(self) -> tuple[str, ...]:
        """All test ids that a solution must pass: the named ones without the unstable."""
        return tuple(test for test in self.fail_to_pass + self.pass_to_pass if test not in self.unstable)


class Limits(Frozen):
    """What one sandbox may use."""

    memory: int = Field(default=2 << 30, gt=0)
    """Bytes of memory, all processes together."""
    disk: int = Field(default=512 << 20, gt=0)
    """Bytes of files that differ from the repository, ``/tmp`` and home included."""
    files: int = Field(default=100_000, gt=0)
    """Number of files that differ from the repository."""
    processes: int = Field(default=256, gt=0)
    """Processes and threads at the same time."""
    output: int = Field(default=64 << 10, gt=0)
    """Bytes of output kept from one command: half from its start, half from its end."""
    command_timeout: float = Field(default=30.0, gt=0)
    """Seconds for one shell command, unless the call says otherwise."""


class Environment(Frozen):
    """The Python that runs the task's code."""

    python: str | None = None
    """A virtual environment or an interpreter; None: the interpreter that runs the gym."""
    preload: tuple[str, ...] | None = None
    """Third-party modules that are imported ahead of time; None: those that the repository's files import."""
    variables: dict[str, str] = Field(default_factory=dict)
    """Environment variables of the sandbox. Nothing is taken over from the host's."""


class Task(Frozen):
    """One broken repository."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    benchmark: str = "repo"
    problem: str
    """What the agent is told, as a user would report it."""
    source: Source
    tests: Tests = Tests()
    environment: Environment = Environment()
    editable: tuple[str, ...] = ("*.py", *TESTS_AND_CONFIGURATION)
    """Globs in gitignore's syntax, the last match decides: which changed files count for the judge. A folder
    that is taken out (``!tests/``) is out with all that lies in it. What only the tests import does not count
    either (see ``debug_gym.judge.support``)."""
    gold_patch: str | None = Field(default=None, repr=False)
    """A unified diff that fixes the bug. It never enters the agent's sandbox."""
    limits: Limits = Limits()
    metadata: dict[str, Any] = Field(default_factory=dict)

    @cached_property
    def _editable(self) -> pathspec.GitIgnoreSpec:
        return pathspec.GitIgnoreSpec.from_lines(
            line for glob in self.editable for line in _with_content(glob)
        )

    def is_editable(self, path: str) -> bool:
        """Whether a change to this file (relative to the workspace) counts for the judge."""
        return self._editable.match_file(path)

    def for_agent(self) -> "Task":
        """The same task without what an agent must not see: gold patch, hidden tests, their controls."""
        nothing: dict[str, Any] = {
            "hidden": {},
            "fail_to_pass": (),
            "pass_to_pass": (),
            "unstable": (),
            "controls": (),
        }
        tests = self.tests.model_copy(update=nothing)
        return self.model_copy(update={"gold_patch": None, "tests": tests, "metadata": {}})
