"""What a runner is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import ClassVar

from debug_gym.task import Tests

COMMAND = "command"
"""Id of the test that stands for a whole command: it passes if the command exits with 0."""


@dataclass(frozen=True)
class PytestSession:
    """Tests run by pytest in the sandbox's own interpreter, which reports each of them."""

    arguments: tuple[str, ...] = ()
    """Of pytest."""
    selection: tuple[str, ...] = ()
    """Ids and paths of the tests to run; empty: what the arguments select."""


@dataclass(frozen=True)
class Program:
    """A program of the repository's runs the tests, and its output tells of them."""

    words: tuple[str, ...]
    """The program and its arguments."""
    harness: str = ""
    """``unittest`` or ``sympy``: what it is built on, so that the debugger can stop in its tests; empty:
    neither."""

    @property
    def script(self) -> tuple[str, ...]:
        """The words after the interpreter, for what runs in an interpreter of its own; empty if the program
        is no Python."""
        name = PurePath(self.words[0]).name
        if name.startswith("python"):
            return self.words[1:]
        return self.words if name.endswith(".py") or self.words[0] == "bin/test" else ()


class Runner(ABC):
    """One way to test. It is made for the tests of one task and keeps no state."""

    name: ClassVar[str]
    description: ClassVar[str]
    """One sentence for ``debug-gym list``."""
    selects: ClassVar[bool] = True
    """Single tests can be run."""
    hint: ClassVar[str] = ""
    """A sentence for whoever sets up a task: what would serve better; empty: nothing."""

    def __init__(self, tests: Tests) -> None:
        self.tests = tests

    @classmethod
    def fits(cls, command: Sequence[str]) -> bool:
        """Whether a test command that names no runner is one of this kind."""
        return False

    @abstractmethod
    def run(self, selection: Sequence[str] = ()) -> PytestSession | Program:
        """What to run for these test ids and paths; for none: for all visible tests."""

    @abstractmethod
    def outcomes(self, output: str, exit_code: int | None, selection: Sequence[str] = ()) -> dict[str, str]:
        """Test id to outcome (see ``TestRun.outcomes``), from a program's whole output. Not asked for
        sessions of pytest, which report by themselves."""

    def debug(self, test: str | None = None) -> PytestSession | Program | None:
        """What the debugger and traces run for a test (None: all visible ones); None: nothing that they
        could enter."""
        found = self.run((test,) if test is not None else ())
        return None if isinstance(found, Program) and not found.script else found

    def consistent(self, exit_code: int | None, outcomes: Mapping[str, str]) -> bool:
        """Whether the exit code says the same as the outcomes."""
        return bool(exit_code) == any(outcome in {"failed", "error"} for outcome in outcomes.values())
