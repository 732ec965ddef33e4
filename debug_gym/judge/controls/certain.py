"""Controls that are made on the spot, for tasks that bring none."""

import random
from collections.abc import Collection, Mapping

from debug_gym.judge.controls.assertions import Edits
from debug_gym.judge.controls.edits import Edit
from debug_gym.judge.controls.sample import function_of
from debug_gym.task import NegativeControl

_MOST_TESTS = 50
"""Tests of one file for which controls are made: each takes a look at the whole file, and few are drawn."""


def certain_controls(tests: Collection[str], texts: Mapping[str, str]) -> tuple[NegativeControl, ...]:
    """Controls that need no gold patch to confirm them: for tasks that bring none.

    Args:
        tests: ids; of those that differ in their parameters alone one is taken, and its parameters stay as
            they are, since its id may tell them.
        texts: path to text of test files; what is not Python is left out.
    """
    found = []
    for path, text in texts.items():
        if not (edits := Edits.of(text)):
            continue
        mine = [test for test in tests if test.startswith(f"{path}::")]
        own = list({function_of(test): test for test in random.sample(mine, len(mine))}.values())
        for test in random.sample(own, min(_MOST_TESTS, len(own))):
            chosen = [edit for edit in edits.of_test(test) if edit.certain]
            if "[" in test:
                chosen = [edit for edit in chosen if edit.statement[0] <= edit.line <= edit.statement[1]]
            found += [control(test, path, edit) for edit in random.sample(chosen, min(2, len(chosen)))]
    return tuple(found)


def control(test: str, path: str, edit: Edit, *, sharp: bool = False) -> NegativeControl:
    """The control that an edit makes of a test."""
    return NegativeControl(
        test=test,
        path=path,
        line=edit.line,
        column=edit.column,
        old=edit.old,
        new=edit.new,
        sharp=sharp,
    )
