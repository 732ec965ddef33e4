"""Which tests decide about a fix: those that fail before and pass after it, again and again, in any order."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from debug_gym.mining.asks import Fix, reports
from debug_gym.mining.base import Draft, FallenError
from debug_gym.sandbox import TestRun

REPEATS = 5
"""Runs before and after the fix, each in another order."""
OTHERS = 2
"""Interpreters in which the tests are collected and run besides."""
MOST_KEPT = 150
"""Tests that must go on passing, of all that do."""
MOST_FAILING = 0.5
"""Share of the tests beyond which a bug is no riddle: everything is broken."""
_WRONG = {"failed", "error"}


@dataclass(frozen=True)
class Decided:
    """The tests of a draft."""

    failing: tuple[str, ...]
    """They fail with the bug, and pass without it."""
    passing: tuple[str, ...]
    """They pass with and without it."""
    messages: Mapping[str, str]
    """Id of a failing test to the one-line reason."""
    output: str
    """What the run with the bug printed."""
    unstable: tuple[str, ...] = ()
    """They passed and failed at random."""
    broken: tuple[str, ...] = ()
    """They fail with and without it, or before it in a way that shows nothing."""


def decide(draft: Draft, seed: int = 0) -> Decided:
    """Run the tests before and after the fix, and tell which ones decide.

    Args:
        draft: whose.
        seed: of the choice among too many tests.

    Raises:
        FallenError: none does, or too many do.
    """
    after = draft.ground.run(draft.after, draft.selection)
    _demand_whole(after, "with the fix")
    passed = set(after.passed)
    before = draft.ground.run(draft.before, draft.selection)
    if before.timed_out:
        raise FallenError("validate", "the tests take too long with the bug")
    failing = [test for test in after.passed if before.outcomes.get(test) in _WRONG]
    if not failing:
        missing = [test for test in after.passed if test not in before.outcomes]
        why = "the tests cannot be imported without the fix" if missing else "no test fails with the bug"
        raise FallenError("validate", why)
    asked = {} if draft.asks_for_behaviour else _asked(draft, failing, before)
    shown = [test for test in failing if not asked.get(test)]
    if not shown:
        raise FallenError("validate", "the tests ask for a feature, not for a fix", asked[failing[0]])
    passing = [test for test in before.passed if test in passed]
    if len(failing) > MOST_FAILING * len(passed) and len(failing) > 3:
        raise FallenError("validate", "most tests fail with the bug")
    others = [test for test in after.outcomes if test not in shown and test not in passing]
    chosen = _chosen(shown, passing, random.Random(f"{seed}:{shown[0]}"))
    broken = tuple(
        test for test in others if after.outcomes[test] in _WRONG or before.outcomes.get(test) in _WRONG
    )
    return Decided(tuple(shown), tuple(chosen), dict(before.messages), before.output, broken=broken)


def _asked(draft: Draft, failing: Sequence[str], before: TestRun) -> dict[str, str]:
    """What each failing test asks for that only the fix brings; empty: it shows a bug."""
    fix = Fix(draft.broken, draft.fixed)
    said = reports(before.output, {test: before.messages.get(test, "") for test in failing})
    return {test: fix.asked(test, draft.test_text(test), said[test]) for test in failing}


def steady(draft: Draft, decided: Decided, repeats: int = REPEATS) -> Decided:
    """Run the deciding tests again and again, in random order, before and after the fix, and, if more than
    once, in other interpreters; take out those that do not do the same each time, or have another id there.

    Raises:
        FallenError: then none fails before the fix and passes after it.
    """
    tests = [*decided.failing, *decided.passing]
    wobbly: dict[str, None] = {}
    files = sorted({test.partition("::")[0] for test in tests})
    for number in range(1, min(repeats, OTHERS + 1)):
        seen = draft.ground.elsewhere(number).run(draft.after, files).outcomes
        wobbly |= dict.fromkeys(test for test in tests if seen.get(test) != "passed")
    tests = [test for test in tests if test not in wobbly]  # one that is not there would stop all others
    for number in range(repeats if tests else 0):
        order = random.Random(number).sample(tests, len(tests))
        before, after = draft.ground.run(draft.before, order), draft.ground.run(draft.after, order)
        wobbly |= dict.fromkeys(test for test in decided.failing if before.outcomes.get(test) not in _WRONG)
        wobbly |= dict.fromkeys(test for test in decided.passing if before.outcomes.get(test) != "passed")
        wobbly |= dict.fromkeys(test for test in tests if after.outcomes.get(test) != "passed")
    failing = tuple(test for test in decided.failing if test not in wobbly)
    if not failing:
        raise FallenError("validate", "its tests are unstable", next(iter(wobbly)))
    passing = tuple(test for test in decided.passing if test not in wobbly)
    return Decided(failing, passing, decided.messages, decided.output, tuple(wobbly), decided.broken)


def _demand_whole(run: TestRun, when: str) -> None:
    if run.timed_out:
        raise FallenError("validate", f"the tests take too long {when}")
    if not run.passed:
        said = run.output.strip().rpartition("\n")[2]
        raise FallenError("validate", f"no test passes {when}", run.note or said)


def _chosen(failing: Sequence[str], passing: Sequence[str], chance: random.Random) -> list[str]:
    """Not too many of the tests that must go on passing: first those beside the failing ones."""
    files = {test.partition("::")[0] for test in failing}
    near = [test for test in passing if test.partition("::")[0] in files]
    far = [test for test in passing if test.partition("::")[0] not in files]
    kept = near if len(near) <= MOST_KEPT else chance.sample(near, MOST_KEPT)
    kept += chance.sample(far, min(len(far), MOST_KEPT - len(kept)))
    return [test for test in passing if test in set(kept)]
