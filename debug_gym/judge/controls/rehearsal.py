"""Trying controls on code that is known: the broken repository, and the one with the gold patch."""

import re
from collections.abc import Mapping, Sequence

from debug_gym.judge.controls.sample import function_of
from debug_gym.judge.controls.texts import apply, apply_all
from debug_gym.judge.plan import Trial
from debug_gym.judge.trials import TrialResult, TrialRunner
from debug_gym.task import NegativeControl

_NO_SENSE = ("NameError", "SyntaxError", "ValueError: ", "OverflowError")
"""How the messages of tests begin that an edit kept from coming to its expectation."""


class Rehearsal:
    """Runs tests of one task on their original texts and on controls.

    Args:
        broken: runs them with the repository as it is.
        fixed: runs them with the gold patch.
        texts: path to original text of the files that controls change.
    """

    def __init__(self, broken: TrialRunner, fixed: TrialRunner, texts: Mapping[str, str]) -> None:
        self.broken, self.fixed, self.texts = broken, fixed, texts
        self._function_ids: dict[str, Sequence[str]] = {}

    def function_ids(self, function: str) -> Sequence[str]:
        """The ids of a function's tests on the original texts."""
        if function not in self._function_ids:
            self._function_ids[function] = self.ids((function,), [])
        return self._function_ids[function]

    def exclusive(self, item: NegativeControl) -> NegativeControl | None:
        """The control, if with it its test fails, and no other of those that run beside it."""
        functions = (function_of(item.test),)
        named = self.named([item], functions, self.function_ids(*functions))
        required, file = self.fixed.task.tests.required, file_of(item.test)
        beside = [x for x in required if x != item.test and (item.path != file or file_of(x) == file)]
        for renamed in named:
            result = self.fixed.run(self.trial(renamed, (item.test, *beside)))
            passed = all(result.seen[other] == "passed" for other in beside)
            good = passed and not result.flaw and fails_in_expectation(result, renamed)
            return renamed if good else None
        return None

    def named(
        self, items: Sequence[NegativeControl], functions: Sequence[str], before: Sequence[str]
    ) -> list[NegativeControl]:
        """The controls, each with the id that its test has when all of them are laid; without those of which
        that cannot be told.

        Args:
            items: for different tests.
            functions: that hold their tests.
            before: the ids of the tests in these functions on the original texts.
        """
        if not any(item.old.strip("'\"") in item.test.partition("[")[2] for item in items):
            return list(items)
        after = self.ids(functions, items)
        if len(before) != len(after) or len({*after}) < len(after):
            return []
        ids = dict(zip(before, after, strict=True))
        kept = {item.test for item in items}
        if any(test != ids[test] for test in before if test not in kept):
            return []
        return [
            item if ids[item.test] == item.test else item.model_copy(update={"renamed": ids[item.test]})
            for item in items
            if item.test in ids
        ]

    def ids(self, functions: Sequence[str], items: Sequence[NegativeControl]) -> Sequence[str]:
        """The ids of the tests in functions, in their order, as they are with controls."""
        trial = Trial(tuple(functions), texts=apply_all(items, self.texts))
        run = self.fixed.run(trial, ("--collect-only",)).run
        return run.collected if run else ()

    def trial(self, item: NegativeControl, tests: Sequence[str] = ()) -> Trial:
        """The run of a control; of these tests, or of its own alone."""
        texts = {item.path: apply(item, self.texts)}
        return Trial(tuple(tests) or (item.test,), {item.test: item}, texts)

    def fails_at(self, line: int | None, item: NegativeControl) -> bool:
        """Whether the broken code fails at a line with a control, too."""
        return line is not None and self.failing_line(self.trial(item)) == line

    def failing_line(self, trial: Trial) -> int | None:
        """The line of a test's function at which it fails with the broken code."""
        (test,) = trial.tests
        name = re.escape(test.rpartition("::")[2].partition("[")[0])
        output = self.broken.run(trial, options=("--tb=short",)).output
        entry = re.search(rf"^{re.escape(file_of(test))}:(\d+): in {name}$", output, re.MULTILINE)
        return int(entry[1]) if entry else None


def fails_in_expectation(result: TrialResult, item: NegativeControl) -> bool:
    """Whether the test of a control failed in an assertion or an expected exception, not because the edit is
    no sense."""
    if result.run is None or result.seen[item.test] != "failed":
        return False
    return not result.run.messages.get(item.id, "").startswith(_NO_SENSE)


def file_of(test: str) -> str:
    """The path of the file that holds a test."""
    return test.partition("::")[0]
