"""A task, and what one sandbox of it may use."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any, Self

import pathspec
from pydantic import Field, field_validator, model_validator

from debug_gym.task.command import unwrapped
from debug_gym.task.frozen import Frozen
from debug_gym.task.harness import Harness
from debug_gym.task.names import MAX_BYTES, file_name
from debug_gym.task.question import OpenQuestion
from debug_gym.task.sealing import sealed
from debug_gym.task.sources import DirectorySource, ImageSource, Source
from debug_gym.task.tests import Tests

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


def editable_paths(globs: Iterable[str]) -> pathspec.GitIgnoreSpec:
    """What the globs of ``Task.editable`` match."""
    return pathspec.GitIgnoreSpec.from_lines(line for glob in globs for line in _with_content(glob))


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
    requirements: tuple[str, ...] = ()
    """Pinned packages as pip takes them, such as ``pytest==8.3.4``, dependencies and all: they are installed
    into a virtual environment of their own, which is made of ``python`` once and kept in the cache."""
    preload: tuple[str, ...] | None = None
    """Third-party modules that are imported ahead of time; None: those that the repository's files import."""
    variables: dict[str, str] = Field(default_factory=dict)
    """Environment variables of the sandbox. Nothing is taken over from the host's."""
    setup: tuple[str, ...] = ()
    """Commands of bash, run once in the repository's folder before the task begins, with no network, to build
    or to generate something: what they leave there belongs to the repository. Not for images, which have a
    ``setup`` of their own, nor with the history of a repository of one's own."""


class Task(Frozen):
    """One broken repository."""

    id: str
    """Unique in its benchmark; on one line, with no space at its ends. See ``file_name``."""
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
    gold_script: str | None = Field(default=None, repr=False)
    """A script of bash that fixes the bug, run in the workspace, where there is no patch. It never enters the
    agent's sandbox."""
    question: OpenQuestion | None = None
    """Open-ended: the problem asks for an answer in words, which tests cannot score. None: it is a bug."""
    limits: Limits = Limits()
    harness: Harness | None = Field(default=None, repr=False)
    """How the benchmark's own harness scores, where the judge tells that as well; None: there is none."""
    metadata: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _command_is_bare(self) -> Self:
        command, variables = unwrapped(self.tests.command)
        if command != self.tests.command:
            mine = {"variables": {**self.environment.variables, **variables}}
            self.__dict__["tests"] = self.tests.model_copy(update={"command": command})
            self.__dict__["environment"] = self.environment.model_copy(update=mine)
        return self

    @model_validator(mode="after")
    def _setup_fits(self) -> Self:
        if self.environment.setup and isinstance(self.source, ImageSource):
            raise ValueError("environment.setup is not for images: set source.setup")
        if self.environment.setup and isinstance(self.source, DirectorySource) and self.source.history:
            raise ValueError("setup and history=true do not go together: leave one of them out")
        return self

    @field_validator("id")
    @classmethod
    def _on_one_line(cls, name: str) -> str:
        if not name or name != name.strip() or not name.isprintable():
            raise ValueError("an id is printable text on one line, with no space at its ends")
        if len(file_name(name)) > MAX_BYTES:
            raise ValueError(f"an id may take {MAX_BYTES} bytes as a file name, not {len(file_name(name))}")
        return name

    @cached_property
    def _editable(self) -> pathspec.GitIgnoreSpec:
        return editable_paths(self.editable)

    def is_editable(self, path: str) -> bool:
        """Whether a change to this file (relative to the workspace) counts for the judge."""
        return self._editable.match_file(path)

    def for_agent(self) -> "Task":
        """The same task without what an agent must not see: the fix, hidden tests and their controls, a patch
        that makes the bug, how it is scored. This process can start sandboxes of it."""
        nothing: dict[str, Any] = {
            "hidden": {},
            "hidden_patch": None,
            "hidden_paths": (),
            "fail_to_pass": (),
            "pass_to_pass": (),
            "unstable": (),
            "controls": (),
        }
        tests = self.tests.model_copy(update=nothing)
        unknown: dict[str, Any] = {"tests": tests, "metadata": {}, "harness": None}
        unknown |= {"gold_patch": None, "gold_script": None}
        unknown |= {"question": OpenQuestion() if self.question else None}
        return self.model_copy(update={**unknown, "source": sealed(self.source)})
