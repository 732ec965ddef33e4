"""What is mined: candidates, where their tests run, and how they fall."""

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import pathspec

from debug_gym.errors import DebugGymError
from debug_gym.sandbox import Backend, Sandbox, TestRun
from debug_gym.task import DirectorySource, Environment, FilesSource, Task, Tests

Texts = Mapping[str, str | None]
"""Path in a repository to the text of a source file; None: there is none."""
Files = Mapping[str, str | bytes | None]
"""Path in a repository to the content of a file; None: there is none."""

STAGES = ("find", "environment", "validate", "minimise", "duplicates", "statement", "controls", "proof")
"""Where a candidate may fall, in the order in which it passes."""
_ANY = Task(id="any", problem="any", source=FilesSource(files={"any.py": ""}))
"""For what is editable by default."""
_NO_SOURCE = pathspec.GitIgnoreSpec.from_lines(
    ["setup.py", "noxfile.py", "docs/", "doc/", "examples/", "example/", "benchmarks/", "tasks.py", "/tools/"]
)
_TESTS = pathspec.GitIgnoreSpec.from_lines(
    ["tests/", "test/", "testing/", "test_*.py", "*_test.py", "conftest.py"]
)
Remember = Callable[[str, Callable[[], Any]], Any]
"""Gives the JSON value that was made under a name in an earlier session, or makes it."""


class FallenError(DebugGymError):
    """A candidate is no task. ``why`` is the same for all that fall for the same reason.

    Args:
        stage: one of ``STAGES``.
        why: a few words, for the table.
        detail: what else there is to know about this one.
    """

    def __init__(self, stage: str, why: str, detail: str = "") -> None:
        super().__init__(f"{stage}: {why}{f': {detail}' if detail else ''}")
        self.stage, self.why, self.detail = stage, why, detail


@dataclass(frozen=True)
class Ground:
    """A repository, and how its tests run."""

    name: str
    folder: Path
    environment: Environment
    backend: Backend
    command: tuple[str, ...] = Tests().command
    timeout: float = 120.0
    """Seconds for one run of all tests."""
    seconds: float = 0.0
    """What that takes with no bug; 0: not measured."""
    licence: str = ""
    """Empty: unknown."""
    temporary: bool = False
    """The folder is for one candidate only: it goes with it."""

    @property
    def patience(self) -> float:
        """Seconds after which a run with a bug is stopped."""
        return min(self.timeout, max(20.0, 10 * self.seconds)) if self.seconds else self.timeout

    @property
    def task(self) -> Task:
        """A task without a bug, for sandboxes."""
        source = DirectorySource(path=self.folder, state=self.folder.name)
        tests = Tests(command=self.command, timeout=self.timeout)
        return Task(id=self.name, problem="-", source=source, tests=tests, environment=self.environment)

    def elsewhere(self, number: int) -> "Ground":
        """The same in another interpreter process than before, the same for each number: what follows from
        where its memory lies is another there, such as the order of a set."""
        variables = {**self.environment.variables, "DEBUG_GYM_INTERPRETER": str(number)}
        environment = self.environment.model_copy(update={"variables": variables})
        return replace(self, environment=environment)

    def start(self, files: Files) -> Sandbox:
        """A sandbox with some files changed. Close it after use."""
        sandbox = self.backend.start(self.task)
        try:
            for path, content in files.items():
                if content is not None:
                    sandbox.write(path, content.encode() if isinstance(content, str) else content)
            if gone := [path for path, content in files.items() if content is None]:
                sandbox.exec(["rm", "-f", "--", *gone])
        except BaseException:
            sandbox.close()
            raise
        return sandbox

    def run(self, files: Files, selection: Sequence[str] = ()) -> TestRun:
        """Run tests (ids or paths; none: all) with some files changed, in a sandbox of its own."""
        with self.start(files) as sandbox:
            return sandbox.run_tests(selection, timeout=self.patience)


@dataclass(frozen=True)
class Story:
    """What is known of a bug beside its code, for the statement of the problem."""

    title: str = ""
    """A commit's subject, or a line of a changelog."""
    text: str = ""
    """What else was said."""


@dataclass(frozen=True)
class Draft:
    """A candidate that may become a task. What differs from the ground's files:"""

    ground: Ground
    broken: Texts
    """The sources with the bug."""
    fixed: Texts
    """The same ones without it."""
    tests: Files = field(default_factory=dict)
    """The test files that come with the fix."""
    story: Story = Story()
    entries: Sequence[str] = ()
    """What a changelog says, of which one entry may be about this bug."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Facts about the origin, stored with the task."""
    selection: Sequence[str] = ()
    """Ids or paths of the tests that may notice; empty: all."""
    asks_for_behaviour: bool = False
    """The bug cannot change what names there are: no test fails since it asks for a new feature."""
    minimal: bool = False
    """All of the fix belongs to it, even where the tests would do with a part."""

    def test_text(self, test: str) -> str:
        """The text of the file of a test, as it is with the fix; empty where there is none."""
        path = test.partition("::")[0]
        file = self.ground.folder / path
        content = self.tests.get(path) or (file.read_bytes() if file.is_file() else b"")
        return content if isinstance(content, str) else content.decode(errors="replace")

    @property
    def before(self) -> dict[str, str | bytes | None]:
        """All files of the broken repository that differ."""
        return {**self.broken, **self.tests}

    @property
    def after(self) -> dict[str, str | bytes | None]:
        """All files of the repaired one that differ."""
        return {**self.fixed, **self.tests}


@dataclass(frozen=True)
class Candidate:
    """Something that may be a bug."""

    id: str
    """Unique among those of its source, and the same each time: what resumes is told by it."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """For its source, to make a draft of."""


class Miner(Protocol):
    """Finds candidates."""

    kind: str
    """Its name on the command line."""

    def find(self) -> Iterator[Candidate]:
        """All candidates, the most promising first, one by one.

        Raises:
            ConfigError: there is nothing to search; the message says what to do.
            FallenError: there is nothing to find.
        """

    def draft(self, candidate: Candidate) -> Draft:
        """Make a draft of a candidate. May be called from several threads.

        Raises:
            FallenError: it is none.
        """


def is_test(path: str) -> bool:
    """Whether a file of a repository belongs to its tests: they, their data, their configuration."""
    return _TESTS.match_file(path)


def is_source(path: str) -> bool:
    """Whether a file of a repository is code whose changes count."""
    return path.endswith(".py") and _ANY.is_editable(path) and not _NO_SOURCE.match_file(path)


def top(path: str) -> str:
    """A path's first folder."""
    return posixpath.normpath(path).partition("/")[0]
