"""pytest: warm in the sandbox's interpreter, with an outcome for each test."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath

from debug_gym.runners.base import PytestSession, Runner
from debug_gym.runners.choose import runner_of
from debug_gym.task import Tests


class PytestRunner(Runner):
    """``pytest ...`` and ``python -m pytest ...``."""

    name = "pytest"
    description = "pytest, warm, test by test."

    @classmethod
    def fits(cls, command: Sequence[str]) -> bool:
        """See ``Runner.fits``."""
        return pytest_arguments(command) is not None

    def run(self, selection: Sequence[str] = ()) -> PytestSession:
        """See ``Runner.run``. The command's own arguments stay: they decide on rootdir and configuration."""
        arguments = (*(pytest_arguments(self.tests.command) or ()), *self.tests.visible)
        return PytestSession(arguments, tuple(selection))

    def outcomes(self, output: str, exit_code: int | None, selection: Sequence[str] = ()) -> dict[str, str]:
        """See ``Runner.outcomes``: nothing is read from what pytest prints."""
        return {}

    def debug(self, test: str | None = None) -> PytestSession:
        """See ``Runner.debug``."""
        return self.run((test,) if test is not None else ())

    def consistent(self, exit_code: int | None, outcomes: Mapping[str, str]) -> bool:
        """See ``Runner.consistent``. Beside 0 and 1, pytest's exit codes say that something else is wrong."""
        return exit_code in {0, 1} and super().consistent(exit_code, outcomes)


def is_pytest(tests: Tests) -> bool:
    """Whether a task's tests run in a session of pytest."""
    return isinstance(runner_of(tests), PytestRunner)


def pytest_arguments(command: Sequence[str]) -> tuple[str, ...] | None:
    """The arguments of a pytest command (``pytest ...``, ``python -m pytest ...``); None if it is another."""
    words = tuple(command)
    if words[:1] in {("pytest",), ("py.test",)}:
        return words[1:]
    if len(words) >= 3 and PurePath(words[0]).name.startswith("python") and words[1:3] == ("-m", "pytest"):
        return words[3:]
    return None
