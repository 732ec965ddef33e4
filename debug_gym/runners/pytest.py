"""pytest: warm in the sandbox's interpreter, with an outcome for each test."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath

from debug_gym.runners.base import PytestSession, Runner
from debug_gym.runners.choose import runner_of
from debug_gym.task import Tests

_COMPLAINT = re.compile(
    r"^(?:ERROR: .*|E {2,}\w.*|.*: error: .*|(?:\w+\.)*\w*(?:Error|Exception)\b.*)$", re.MULTILINE
)


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


def test_files(tests: Iterable[str]) -> set[str]:
    """The files that hold tests. The file of a doctest (named after its module) is the code that it
    documents."""
    parts = (test.partition("[")[0].partition("::") for test in tests)
    return {path for path, _, name in parts if not _is_doctest(path, name)}


def _is_doctest(path: str, name: str) -> bool:
    return "." in name or (PurePath(path).stem == name and not name.startswith("test"))


def complaint(output: str) -> str:
    """Why pytest could not start, in its own words: the last line of its output that says so, one of an
    exception rather than what follows from it; or ""."""
    found: list[str] = _COMPLAINT.findall(output)
    found = [line for line in found if line.startswith("E ")] or found
    return found[-1].removeprefix("E ").strip()[:300] if found else ""


def pytest_arguments(command: Sequence[str]) -> tuple[str, ...] | None:
    """The arguments of a pytest command (``pytest ...``, ``python -m pytest ...``); None if it is another."""
    words = tuple(command)
    if words[:1] in {("pytest",), ("py.test",)}:
        return words[1:]
    if len(words) >= 3 and PurePath(words[0]).name.startswith("python") and words[1:3] == ("-m", "pytest"):
        return words[3:]
    return None
