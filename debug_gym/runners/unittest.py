"""unittest, and test programs that are built on it, such as Django's: ids are dotted names."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

from debug_gym.runners.base import COMMAND, Program, PytestSession, Runner
from debug_gym.runners.logs import unittest_log

_HINT = (
    "pytest runs unittest's tests too: with the test command  python -m pytest  they run warm, and the judge "
    "can prove more about them"
)
_DJANGO_OPTIONS = (
    "-v --verbosity -p --pattern -t --top-level-directory -k --tag --exclude-tag --settings --pythonpath "
    "--parallel --shuffle --bisect --pair --start-at --start-after"
)


class UnittestRunner(Runner):
    """``python -m unittest ...``, also with ``discover``."""

    name = "unittest"
    description = "unittest, test by test, from its verbose output."
    hint = _HINT
    with_value = frozenset({"-k", "--durations", "-s", "--start-directory", "-p", "--pattern"})
    """Options whose value is the next word."""

    @classmethod
    def fits(cls, command: Sequence[str]) -> bool:
        """See ``Runner.fits``."""
        words = tuple(command)
        return PurePath(words[0]).name.startswith("python") and words[1:3] == ("-m", "unittest")

    def run(self, selection: Sequence[str] = ()) -> Program:
        """See ``Runner.run``. Ids take the place of the command's own."""
        start = self.tests.command.index("unittest") + 1
        program, rest = self.tests.command[:start], self.tests.command[start:]
        chosen = self._chosen(selection)
        if rest[:1] == ("discover",):
            named = [word for test in chosen for word in ("-k", test)]
            return Program((*program, "discover", "-v", *rest[1:], *named))
        return Program((*program, "-v", *(self._options(rest) if chosen else rest), *map(as_label, chosen)))

    def outcomes(self, output: str, exit_code: int | None, selection: Sequence[str] = ()) -> dict[str, str]:
        """See ``Runner.outcomes``."""
        found = unittest_log(output)
        return {**_among(found, selection), COMMAND: "failed" if exit_code else "passed"}

    def debug(self, test: str | None = None) -> PytestSession | Program | None:
        """See ``Runner.debug``."""
        found = super().debug(test)
        return replace(found, harness="unittest") if isinstance(found, Program) else found

    def _chosen(self, selection: Sequence[str]) -> tuple[str, ...]:
        """What is to run, in place of what the command names; empty: that."""
        return tuple(test for test in selection if test != COMMAND) or self.tests.visible

    def _options(self, words: Sequence[str]) -> list[str]:
        """The words that are options or their values."""
        kept: list[str] = []
        for word in words:
            if word.startswith("-") or (kept and kept[-1] in self.with_value):
                kept.append(word)
        return kept


class DjangoRunner(UnittestRunner):
    """``tests/runtests.py ...`` and ``manage.py test ...``."""

    name = "django"
    description = "Django's runtests.py and manage.py test, test by test, from their verbose output."
    with_value = frozenset(_DJANGO_OPTIONS.split())

    @classmethod
    def fits(cls, command: Sequence[str]) -> bool:
        """See ``Runner.fits``."""
        names = [PurePath(word).name for word in command[:3]]
        return "runtests.py" in names or ("manage.py" in names and "test" in command)

    def run(self, selection: Sequence[str] = ()) -> Program:
        """See ``Runner.run``."""
        command = self.tests.command
        names = [PurePath(word).name for word in command]
        start = names.index("runtests.py") if "runtests.py" in names else names.index("test")
        program, rest = command[: start + 1], command[start + 1 :]
        chosen = self._chosen(selection)
        loud = () if {"-v", "--verbosity"} & {word.partition("=")[0] for word in rest} else ("--verbosity=2",)
        return Program((*program, *loud, *(self._options(rest) if chosen else rest), *map(as_label, chosen)))


def as_label(test: str) -> str:
    """A test id as programs of unittest's kind take it: ``test_a (pkg.tests.Case)``, as they print it, is
    ``pkg.tests.Case.test_a``."""
    name, bracket, where = test.partition(" (")
    where = where.rstrip(")")
    if not bracket:
        return test
    return where if where.endswith(f".{name}") else f"{where}.{name}"


def _among(outcomes: dict[str, str], selection: Sequence[str]) -> dict[str, str]:
    """Of outcomes, those that were asked for: an id, or all below the name of a module or class."""
    labels = [as_label(test) for test in selection if test != COMMAND]
    if not labels:
        return outcomes
    return {
        test: outcome
        for test, outcome in outcomes.items()
        if any(test == label or test.startswith(f"{label}.") for label in labels)
    }
