"""sympy's own test program: ids are ``path::function``."""

from collections.abc import Sequence
from pathlib import PurePath

from debug_gym.runners.base import COMMAND, Program, Runner
from debug_gym.runners.logs import pytest_log, sympy_log
from debug_gym.task import Tests


class SympyRunner(Runner):
    """``bin/test ...``. Where one test is wanted, only that runs; of several, the files that they are in."""

    name = "sympy"
    description = "sympy's bin/test, test by test, from its verbose output."

    @classmethod
    def fits(cls, command: Sequence[str]) -> bool:
        """See ``Runner.fits``."""
        return _program(command) is not None

    def __init__(self, tests: Tests) -> None:
        super().__init__(tests)
        end = _program(tests.command)
        if end is None:
            raise ValueError("the test command does not call bin/test")
        self._program, self._rest = tests.command[:end], tests.command[end:]

    def run(self, selection: Sequence[str] = ()) -> Program:
        """See ``Runner.run``. Ids take the place of the command's own files."""
        chosen = [test for test in selection if test != COMMAND] or list(self.tests.visible)
        loud = () if {"-v", "--verbose"} & set(self._rest) else ("--verbose",)
        rest = [word for word in self._rest if not (chosen and word.endswith(".py"))]
        files = dict.fromkeys(test.partition("::")[0] for test in chosen)
        name = chosen[0].partition("::")[2] if len(chosen) == 1 else ""
        named = ("-k", name) if name else ()  # which takes one name only in older versions
        return Program((*self._program, *loud, *rest, *files, *named), harness="sympy")

    def outcomes(self, output: str, exit_code: int | None, selection: Sequence[str] = ()) -> dict[str, str]:
        """See ``Runner.outcomes``."""
        found = sympy_log(output) or pytest_log(output)  # which newer versions call
        asked = [test for test in selection if test != COMMAND]
        kept = {
            test: outcome
            for test, outcome in found.items()
            if not asked or test in asked or test.partition("::")[0] in asked
        }
        return {**kept, COMMAND: "failed" if exit_code else "passed"}


def _program(command: Sequence[str]) -> int | None:
    """Where the words of the program end; None: it is another one."""
    for number, word in enumerate(command):
        if PurePath(word).parts[-2:] == ("bin", "test"):
            return number + 1
    return None
