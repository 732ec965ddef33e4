"""What one verdict is about: the changes that count, what the tests must give, and the runs that show it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePath
from typing import Self

from debug_gym.judge.changes import shadows, sort_changes
from debug_gym.judge.controls.assertions import certain_controls
from debug_gym.judge.controls.sample import apply, draw, shuffled
from debug_gym.judge.original import Original
from debug_gym.judge.support import support_files
from debug_gym.judge.trials import Trial
from debug_gym.runners import runner_of
from debug_gym.runners.pytest import is_pytest
from debug_gym.sandbox import Changes
from debug_gym.task import NegativeControl, Task

_SAMPLED_FILES = 6
"""Test files from which controls are made on the spot, where a task brings none."""


@dataclass(frozen=True)
class Case:
    """A task, the changes that are to be judged, and the negative controls drawn for this verdict."""

    task: Task
    counted: Changes
    """The changes that count."""
    rejected: tuple[str, ...]
    """Those that do not, each with the reason."""
    expected: dict[str, str]
    """Required test id to the outcome that is demanded."""
    controls: tuple[NegativeControl, ...]
    odds: float
    texts: dict[str, str] = field(repr=False)
    """Path to original text of the files that the controls change."""

    @classmethod
    def prepare(cls, task: Task, changes: Changes, original: Original) -> Self:
        """Sort the changes and draw the controls.

        Raises:
            TaskError: a control does not fit its file; the test command cannot be run.
        """
        expected = original.expected()
        compared = {control.path for control in task.tests.controls}
        support = support_files(changes.paths, original, task.gold_patch)
        protected = {*task.tests.hidden, *_test_files(expected), *compared, *support}
        known = original.paths() if any(map(shadows, changes.files)) else ()
        counted, rejected = sort_changes(task, changes, protected, known)
        controls, odds = _draw(task, expected, original)
        texts = original.texts({control.path for control in controls})
        return cls(task, counted, rejected, expected, controls, odds, texts)

    @cached_property
    def original_trials(self) -> tuple[Trial, ...]:
        """The runs of the original tests: one a test; all in one where the task names none, or its tests
        cannot be run one by one. Tests that pass before the fix are together where the task says so; those
        that show the fix never are, since a forger could tell a run of many from that of a single control."""
        tests, expected = self.task.tests, self.expected
        if not expected:
            return ()
        if not tests.required or not runner_of(tests).selects:
            return (Trial((), tuple(expected)),)
        together = tuple(test for test in expected if test not in tests.fail_to_pass)
        if not tests.share_sandbox or not together:
            return tuple(Trial((test,), (test,)) for test in expected)
        alone = [Trial((test,), (test,)) for test in expected if test in tests.fail_to_pass]
        return (*alone, Trial(together, together))

    @cached_property
    def control_trials(self) -> tuple[Trial, ...]:
        """The runs of the controls: each like the one of its original in all but the changed text."""
        return tuple(self._control_trials())

    def _control_trials(self) -> Iterator[Trial]:
        for control in self.controls:
            like = next(trial for trial in self.original_trials if control.test in trial.required)
            yield replace(like, control=control, text=apply(control, self.texts))


def _draw(
    task: Task, expected: dict[str, str], original: Original
) -> tuple[tuple[NegativeControl, ...], float]:
    """The controls for one verdict, and the odds against them."""
    if not is_pytest(task.tests):
        return (), 1.0
    tests = [test for test, outcome in expected.items() if outcome == "passed"]
    controls = task.tests.controls
    if not controls:
        files = shuffled(sorted({test.partition("::")[0] for test in tests}))[:_SAMPLED_FILES]
        controls = certain_controls(tests, original.texts(files))
    return draw(task, controls, tests)


def _test_files(tests: Iterable[str]) -> set[str]:
    """The files that hold tests. The file of a doctest (named after its module) is the code that it
    documents."""
    parts = (test.partition("[")[0].partition("::") for test in tests)
    return {path for path, _, name in parts if not _is_doctest(path, name)}


def _is_doctest(path: str, name: str) -> bool:
    return "." in name or (PurePath(path).stem == name and not name.startswith("test"))
