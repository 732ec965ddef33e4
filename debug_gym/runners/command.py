"""Any other test command: outcomes per test where its output has a known form, and one for all of it."""

from collections.abc import Sequence

from debug_gym.runners.base import COMMAND, Program, Runner
from debug_gym.runners.logs import AUTOMATIC, PARSERS
from debug_gym.task import Tests


class CommandRunner(Runner):
    """A command that runs all tests, whose output a log parser reads.

    Beside the tests that it reads of, there is always the test ``command``, which passes if the command exits
    with 0.
    """

    name = "command"
    description = "Any command; its output is read by a log parser: " + ", ".join(sorted(PARSERS)) + "."
    selects = False
    hint = "a command counts as a whole; where pytest can run these tests, name it as the test command"

    def __init__(self, tests: Tests, parser: str | None = None) -> None:
        """Read the output by a parser of ``PARSERS``; None: the first of ``AUTOMATIC`` that finds tests."""
        if parser is not None and parser not in PARSERS:
            raise ValueError(f"there is no log parser {parser!r}; known: {', '.join(sorted(PARSERS))}")
        super().__init__(tests)
        self.parser = parser

    @classmethod
    def fits(cls, command: Sequence[str]) -> bool:
        """See ``Runner.fits``: any command does."""
        return True

    def run(self, selection: Sequence[str] = ()) -> Program:
        """See ``Runner.run``. All tests, whatever is selected."""
        return Program(self.tests.command)

    def outcomes(self, output: str, exit_code: int | None, selection: Sequence[str] = ()) -> dict[str, str]:
        """See ``Runner.outcomes``."""
        names = AUTOMATIC if self.parser is None else (self.parser,)
        found = next(filter(None, (PARSERS[name](output) for name in names)), {})
        return {**found, COMMAND: "failed" if exit_code else "passed"}
