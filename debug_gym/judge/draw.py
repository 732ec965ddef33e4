"""Drawing negative controls, and how likely it is to get past them blindly.

Code under test shares a process with pytest, so it can forge any record of its own run. What it cannot know
is whether the file that it runs on is the original or a twin, in which one constant of an expectation was
changed so that the test must fail. It has to guess in every run: the original of a test that it does not
really pass must pass, the twin must fail.

Let n be the hidden fail-to-pass tests that have sharp twins, and k the number of drawn twins of these tests,
at least one of each. Code that passes none of them honestly and accepts a text with probability p gets
through with probability p^n (1-p)^k. That is largest for p = n/(n+k), where it is n^n k^k / (n+k)^(n+k): the
**odds** of a verdict. The bound also holds for code that decides by a digest of the text: only distinct texts
are counted, and running the same original again would add nothing. k is the smallest number that brings the
odds below 10^-4, at most ``MOST``. With 7 tests 7 twins suffice, with 5 tests 10, with 3 tests 23; with fewer
tests the odds stay above, and the verdict says so.

Twins of visible files are drawn too, but count for nothing in the odds: the agent has seen the originals.
"""

import random
from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from debug_gym.errors import TaskError
from debug_gym.task import Task, Twin

TARGET = 1e-4
"""Odds to get below."""
MOST = 24
"""Sharp twins in one verdict at most."""
OTHERS = 3
"""Twins of other tests in one verdict: those that pass before the fix, and visible ones."""

T = TypeVar("T")
_chance = random.SystemRandom()


def odds(tests: int, twins: int) -> float:
    """Chance of the best blind forger against ``twins`` distinct twins of ``tests`` distinct tests."""
    if not tests or not twins:
        return 1.0
    p = tests / (tests + twins)
    return float(p**tests * (1 - p) ** twins)


def needed(tests: int) -> int:
    """The number of twins that brings the odds below the target, at least one a test, at most ``MOST``."""
    twins = max(tests, 1)
    while twins < MOST and odds(tests, twins) > TARGET:
        twins += 1
    return twins


def draw(task: Task, twins: Sequence[Twin], tests: Collection[str]) -> tuple[tuple[Twin, ...], float]:
    """Choose twins for one verdict, unpredictably; and the odds against them.

    Args:
        task: says which tests are hidden and fail before the fix.
        twins: to choose from.
        tests: ids that are required; twins of others are left out.
    """
    usable = [twin for twin in twins if twin.test in tests]
    proving = set(task.tests.fail_to_pass)
    sharp = [
        twin for twin in usable if twin.sharp and twin.path in task.tests.hidden and twin.test in proving
    ]
    count = len({twin.test for twin in sharp})
    chosen = _spread(sharp, min(needed(count), len(sharp)))
    rest = _spread([twin for twin in usable if twin not in sharp], OTHERS)
    return (*chosen, *rest), odds(count, len(chosen))


def _spread(twins: Sequence[Twin], count: int) -> list[Twin]:
    """As evenly over the tests as possible, else at random."""
    of_test: dict[str, list[Twin]] = {}
    for twin in shuffled(twins):
        of_test.setdefault(twin.test, []).append(twin)
    rounds = [
        [waiting[i] for waiting in shuffled(list(of_test.values())) if i < len(waiting)]
        for i in range(max(map(len, of_test.values()), default=0))
    ]
    return [twin for row in rounds for twin in row][:count]


def shuffled(items: Sequence[T]) -> list[T]:
    """The items in an order that nobody can predict."""
    return _chance.sample(items, len(items))


def apply(twin: Twin, texts: Mapping[str, str]) -> str:
    """The text of a twin's file.

    Raises:
        TaskError: the file is not the one that the twin was made from.
    """
    text = texts.get(twin.path, "")
    start = sum(len(line) + 1 for line in text.split("\n")[: twin.line - 1]) + twin.column
    if not twin.old or not text.startswith(twin.old, start):
        raise TaskError(
            f"a twin of {twin.test} does not fit {twin.path} (line {twin.line}): make the twins anew with  "
            "debug-gym validate --write-twins"
        )
    return text[:start] + twin.new + text[start + len(twin.old) :]
