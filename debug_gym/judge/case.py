"""What one verdict is about: the changes that count, what the tests must give, and the controls drawn."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

from debug_gym.judge.changes import shadows, sort_changes
from debug_gym.judge.controls.certain import certain_controls
from debug_gym.judge.controls.sample import Drawn, draw, shuffled
from debug_gym.judge.doubts import doubts
from debug_gym.judge.original import Original
from debug_gym.judge.plan import Plan
from debug_gym.judge.support import support_files
from debug_gym.runners.pytest import is_pytest, test_files
from debug_gym.sandbox import Changes
from debug_gym.task import Task

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
    drawn: Drawn
    plan: Plan = field(repr=False)
    """The runs that decide."""
    doubts: tuple[str, ...] = ()
    """What the changed code newly does that fixes seldom do."""

    @classmethod
    def prepare(cls, task: Task, changes: Changes, original: Original) -> Self:
        """Sort the changes, draw the controls and plan the runs.

        Raises:
            TaskError: a control does not fit its file; the test command cannot be run.
        """
        expected = original.expected()
        compared = {control.path for control in task.tests.controls}
        support = support_files(changes.paths, original, task.gold_patch)
        protected = {*task.tests.hidden, *test_files(expected), *compared, *support}
        known = original.paths() if any(map(shadows, changes.files)) else ()
        counted, rejected = sort_changes(task, changes, protected, known)
        drawn = _draw(task, expected, original)
        texts = original.texts({control.path for control in drawn.all})
        plan = Plan(task, tuple(expected), drawn, texts)
        return cls(task, counted, rejected, expected, drawn, plan, tuple(_doubts(counted, original)))


def _doubts(counted: Changes, original: Original) -> Iterator[str]:
    for path, entry in counted.files.items():
        if path.endswith(".py") and entry.data is not None:
            old = original.text(path) or ""
            yield from doubts(path, entry.data.decode(errors="replace"), old)


def _draw(task: Task, expected: dict[str, str], original: Original) -> Drawn:
    """The controls for one verdict."""
    if not is_pytest(task.tests):
        return Drawn()
    tests = [test for test, outcome in expected.items() if outcome == "passed"]
    controls = task.tests.controls
    if not controls:
        files = shuffled(sorted({test.partition("::")[0] for test in tests}))[:_SAMPLED_FILES]
        controls = certain_controls(tests, original.texts(files))
    return draw(task, controls, tests)
