"""Drawing negative controls, and how likely it is to get past them.

Code under test shares a process with pytest, so it can forge any record of its own run. What it cannot know
is which text of a test is the original and which is a control, in which one constant of an expectation was
changed so that the test must fail. The original must pass, each control must fail.

**The game.** Let t be a hidden fail-to-pass test with k sharp controls, all at one place of its text. With
the original these are k+1 *variants*, which differ in the value at that place alone. A verdict runs each
variant once (see ``debug_gym.judge.plan``): in which run, is drawn at random. Wherever else the text of t is
laid without t being run, its variant is drawn uniformly. So whatever the runs show, it shows with the same
probability if another of the variants is the original: exchanging two variants changes nothing in the draw.

**The bound.** Let the code under test know everything: all texts of all runs, past and future, in whatever
way its runs talk to each other. Given all that, each of the k+1 variants is the original with probability
1/(k+1), independently of the other tests. It gets through only if the set of variants that it lets pass is
{original}, for each test. So its chance is at most the product of 1/(k+1) over all tests: the **odds** of a
verdict. They hold for code that passes none of the tests honestly, whether its runs collude or not, and that
knows no more about the right value than that it is one of those shown. Where it passes a test honestly, that
test's factor is 1.

The variants of a test are the same in every verdict, so that comparing verdicts shows nothing either.

With n such tests, k is the smallest number that brings the odds below ``TARGET``, at most ``MOST``: 3 for
n = 7, 6 for n = 5, 21 for n = 3. With fewer tests, or with controls too few, the odds stay above, and the
verdict says so. Controls of visible files bound nothing, since the agent has seen the originals.
"""

import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TypeVar

from debug_gym.task import NegativeControl, Task

TARGET = 1e-4
"""Odds to get below."""
MOST = 24
"""Controls of one test in one verdict at most."""
OTHERS = 3
"""Controls in one verdict that bound nothing: of tests that pass before the fix, and visible ones."""

T = TypeVar("T")
CHANCE = random.SystemRandom()
"""What nobody can predict."""


@dataclass(frozen=True)
class Drawn:
    """The negative controls of one verdict."""

    sharp: Mapping[str, tuple[NegativeControl, ...]] = field(default_factory=dict)
    """Of each test that has any: controls at one place, which bound forging."""
    others: tuple[NegativeControl, ...] = ()
    """Of other tests, at most one of each."""

    @property
    def all(self) -> tuple[NegativeControl, ...]:
        """All of them."""
        return (*self.others, *(control for controls in self.sharp.values() for control in controls))


def odds(counts: Collection[int]) -> float:
    """Upper bound of the chance to get past so many distinct sharp controls of each test; 1 without any."""
    return 1 / prod(count + 1 for count in counts)


def needed(available: Collection[int]) -> int:
    """How many controls to draw of each test, where there are as many: the smallest number that brings the
    odds below the target, at most ``MOST``."""
    enough = (count for count in range(1, MOST) if odds([min(count, some) for some in available]) <= TARGET)
    return min(next(enough, MOST), max(available, default=0))


def draw(task: Task, controls: Sequence[NegativeControl], tests: Collection[str]) -> Drawn:
    """Choose controls for one verdict: the sharp ones always the same, the others unpredictably.

    Args:
        task: says which tests are hidden and fail before the fix.
        controls: to choose from.
        tests: ids that are required; controls of others are left out.
    """
    required = set(tests)
    usable = [control for control in controls if control.test in required]
    places = _places(task, usable)
    count = needed([len(place) for place in places.values()])
    sharp = {test: place[:count] for test, place in places.items()}
    taken = {function_of(test) for test in sharp}
    return Drawn(sharp, _others([item for item in usable if function_of(item.test) not in taken]))


def _places(task: Task, controls: Sequence[NegativeControl]) -> dict[str, tuple[NegativeControl, ...]]:
    """Of each hidden fail-to-pass test the place of its text with most distinct sharp controls."""
    proving = set(task.tests.fail_to_pass)
    found: dict[str, dict[tuple[str, int, int, str], dict[str, NegativeControl]]] = {}
    for item in controls:
        if item.sharp and item.path in task.tests.hidden and item.test in proving:
            site = item.path, item.line, item.column, item.old
            found.setdefault(item.test, {}).setdefault(site, {}).setdefault(item.new, item)
    best = {test: max(sites.items(), key=lambda site: len(site[1])) for test, sites in found.items()}
    sites = Counter(site for site, _ in best.values())
    return {test: tuple(items.values()) for test, (site, items) in best.items() if sites[site] == 1}


def _others(controls: Sequence[NegativeControl]) -> tuple[NegativeControl, ...]:
    """At most one of each test function, at random."""
    chosen = {function_of(control.test): control for control in shuffled(controls)}
    return tuple(shuffled(list(chosen.values()))[:OTHERS])


def function_of(test: str) -> str:
    """The id of a test without its parameters: that of the function which tests with others share."""
    return test.partition("[")[0]


def shuffled(items: Sequence[T]) -> list[T]:
    """The items in an order that nobody can predict."""
    return CHANCE.sample(items, len(items))
