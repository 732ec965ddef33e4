"""Drawing negative controls, and how likely it is to get past them blindly.

Code under test shares a process with pytest, so it can forge any record of its own run. What it cannot know
is whether the file that it runs on is the original or a control, in which one constant of an expectation was
changed so that the test must fail. It has to guess in every run: the original of a test that it does not
really pass must pass, the control must fail.

Let n be the hidden fail-to-pass tests that have sharp controls, and k the number of drawn controls of these
tests, at least one of each. Code that passes none of them honestly and accepts a text with probability p gets
through with probability p^n (1-p)^k. That is largest for p = n/(n+k), where it is n^n k^k / (n+k)^(n+k): the
**odds** of a verdict. The bound also holds for code that decides by a digest of the text: only distinct texts
are counted, and running the same original again would add nothing. k is the smallest number that brings the
odds below 10^-4, at most ``MOST``. With 7 tests 7 controls suffice, with 5 tests 10, with 3 tests 23; with
fewer tests the odds stay above, and the verdict says so.

Controls of visible files are drawn too, but count for nothing in the odds: the agent has seen the originals.
"""

import random
from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from debug_gym.errors import TaskError
from debug_gym.task import NegativeControl, Task

TARGET = 1e-4
"""Odds to get below."""
MOST = 24
"""Sharp controls in one verdict at most."""
OTHERS = 3
"""Controls of other tests in one verdict: those that pass before the fix, and visible ones."""

T = TypeVar("T")
_chance = random.SystemRandom()


def odds(tests: int, controls: int) -> float:
    """Chance of the best blind forger against ``controls`` distinct controls of ``tests`` distinct tests."""
    if not tests or not controls:
        return 1.0
    p = tests / (tests + controls)
    return float(p**tests * (1 - p) ** controls)


def needed(tests: int) -> int:
    """The number of controls that brings the odds below the target, at least one a test, at most ``MOST``."""
    controls = max(tests, 1)
    while controls < MOST and odds(tests, controls) > TARGET:
        controls += 1
    return controls


def draw(
    task: Task, controls: Sequence[NegativeControl], tests: Collection[str]
) -> tuple[tuple[NegativeControl, ...], float]:
    """Choose controls for one verdict, unpredictably; and the odds against them.

    Args:
        task: says which tests are hidden and fail before the fix.
        controls: to choose from.
        tests: ids that are required; controls of others are left out.
    """
    usable = [control for control in controls if control.test in tests]
    proving = set(task.tests.fail_to_pass)
    sharp: list[NegativeControl] = []
    others: list[NegativeControl] = []
    for control in usable:
        counts = control.sharp and control.path in task.tests.hidden and control.test in proving
        (sharp if counts else others).append(control)
    count = len({control.test for control in sharp})
    chosen = _spread(sharp, min(needed(count), len(sharp)))
    rest = _spread(others, OTHERS)
    return (*chosen, *rest), odds(count, len(chosen))


def _spread(controls: Sequence[NegativeControl], count: int) -> list[NegativeControl]:
    """As evenly over the tests as possible, else at random."""
    of_test: dict[str, list[NegativeControl]] = {}
    for control in shuffled(controls):
        of_test.setdefault(control.test, []).append(control)
    rounds = [
        [waiting[i] for waiting in shuffled(list(of_test.values())) if i < len(waiting)]
        for i in range(max(map(len, of_test.values()), default=0))
    ]
    return [control for row in rounds for control in row][:count]


def shuffled(items: Sequence[T]) -> list[T]:
    """The items in an order that nobody can predict."""
    return _chance.sample(items, len(items))


def apply(control: NegativeControl, texts: Mapping[str, str]) -> str:
    """The text of a control's file.

    Raises:
        TaskError: the file is not the one that the control was made from.
    """
    text = texts.get(control.path, "")
    start = sum(len(line) + 1 for line in text.split("\n")[: control.line - 1]) + control.column
    if not control.old or not text.startswith(control.old, start):
        raise TaskError(
            f"a control of {control.test} does not fit {control.path} (line {control.line}): "
            "make the controls anew with  debug-gym validate --write-controls"
        )
    return text[:start] + control.new + text[start + len(control.old) :]
