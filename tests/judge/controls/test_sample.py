"""Which controls are drawn, and the odds against them."""

import itertools
import random

import pytest

from debug_gym.errors import TaskError
from debug_gym.judge.controls.sample import TARGET, apply, draw, needed, odds
from debug_gym.task import DirectorySource, NegativeControl, Task, Tests

PATH = "tests/test_a.py"


def make(tests, controls_each, *, hidden=True):
    ids = tuple(f"{PATH}::test_{i}" for i in range(tests))
    controls = [
        NegativeControl(test=test, path=PATH, line=1, column=i, old="1", new=str(i), sharp=True)
        for test in ids
        for i in range(controls_each)
    ]
    values = Tests(hidden={PATH: ""} if hidden else {}, fail_to_pass=ids)
    return Task(id="a", problem="", source=DirectorySource(path="/"), tests=values), controls, ids


@pytest.mark.parametrize("tests", [3, 4, 5, 6, 7, 8, 20])
def test_enough_are_drawn_for_the_target(tests):
    task, controls, ids = make(tests, 10)
    chosen, bound = draw(task, controls, ids)
    assert bound == odds(tests, len(chosen)) <= TARGET
    counts = [sum(control.test == test for control in chosen) for test in ids]
    assert min(counts) >= 1
    assert max(counts) - min(counts) <= 1


def test_the_bound_holds_for_the_best_forger():
    n, k = 7, 7
    best = max((p / 1000) ** n * (1 - p / 1000) ** k for p in range(1001))
    assert best == pytest.approx(odds(n, k), rel=1e-3)
    assert odds(n, k) < 1e-4


def test_no_blind_forger_gets_through_more_often_than_the_odds_say():
    """Small numbers, so that it can be counted: every way to tell two originals from their controls by digest."""
    task, controls, ids = make(2, 2)
    chosen, bound = draw(task, controls, ids)
    assert len(chosen) == 4
    ways = list(itertools.product([True, False], repeat=len(ids) + len(chosen)))
    right = [True] * len(ids) + [False] * len(chosen)
    assert ways.count(tuple(right)) / len(ways) <= bound


def test_few_tests_leave_worse_odds_and_none_leave_no_bound():
    assert odds(1, 24) > odds(2, 24) > TARGET > odds(3, needed(3))
    assert odds(0, 5) == odds(5, 0) == 1.0


def test_controls_of_visible_files_are_drawn_but_bound_nothing():
    task, controls, ids = make(5, 5, hidden=False)
    chosen, bound = draw(task, controls, ids)
    assert len(chosen) == 3
    assert bound == 1.0


def test_controls_of_tests_that_do_not_count_are_left_out():
    task, controls, ids = make(3, 4)
    chosen, _ = draw(task, controls, ids[:1])
    assert {control.test for control in chosen} == {ids[0]}


def test_the_seed_of_the_process_predicts_nothing():
    task, controls, ids = make(8, 6)
    drawn = set()
    for _ in range(5):
        random.seed(0)
        drawn.add(draw(task, controls, ids)[0])
    assert len(drawn) == 5


def test_an_edit_is_laid_over_its_file():
    text = "a\n\u00e4 = [\n 1, 2]\r\nb"
    control = NegativeControl(test="t", path="x", line=2, column=4, old="[\n 1, 2]", new="[3]")
    assert apply(control, {"x": text}) == "a\n\u00e4 = [3]\r\nb"
    with pytest.raises(TaskError, match="does not fit x"):
        apply(control, {"x": text.replace("1", "7")})
