"""Which controls are drawn, and the odds against them."""

import random

import pytest

from debug_gym.errors import TaskError
from debug_gym.judge.controls.sample import MOST, TARGET, draw, needed, odds
from debug_gym.judge.controls.texts import apply, apply_all
from debug_gym.task import DirectorySource, NegativeControl, Task, Tests

PATH = "tests/test_a.py"


def make(tests, controls_each, *, hidden=True, sharp=True):
    ids = tuple(f"{PATH}::test_{i}" for i in range(tests))
    controls = [
        NegativeControl(test=test, path=PATH, line=number, column=0, old="1", new=str(i + 2), sharp=sharp)
        for number, test in enumerate(ids, 1)
        for i in range(controls_each)
    ]
    values = Tests(hidden={PATH: ""} if hidden else {}, fail_to_pass=ids)
    return Task(id="a", problem="", source=DirectorySource(path="/"), tests=values), controls, ids


@pytest.mark.parametrize(
    ("tests", "count"), [(3, 21), (4, 9), (5, 6), (6, 4), (7, 3), (8, 3), (14, 1), (30, 1)]
)
def test_as_many_are_drawn_of_each_test_as_the_target_needs(tests, count):
    task, controls, ids = make(tests, MOST)
    drawn = draw(task, controls, ids)
    assert {len(of_test) for of_test in drawn.sharp.values()} == {count}
    assert odds([count] * tests) <= TARGET < odds([count - 1] * tests)


def test_few_tests_leave_worse_odds_and_none_leave_no_bound():
    assert odds([needed([99])]) == 1 / (MOST + 1) > odds([needed([99, 99])] * 2) > TARGET
    assert odds([]) == odds([0, 0]) == 1.0
    assert needed([]) == 0
    assert needed([2, 1]) == 2


def test_all_controls_of_a_test_are_at_one_place():
    """Those at several places would show what is changed least often: the original."""
    task, controls, ids = make(1, 3)
    elsewhere = [item.model_copy(update={"column": 5}) for item in controls]
    same = controls[0].model_copy(update={"new": "7", "column": 5})
    drawn = draw(task, [*controls, *elsewhere, same], ids)
    assert {item.column for item in drawn.sharp[ids[0]]} == {5}
    assert len(drawn.sharp[ids[0]]) == 4


def test_a_place_that_two_tests_share_bounds_neither():
    task, controls, ids = make(2, 3)
    shared = [item.model_copy(update={"line": 1}) for item in controls]
    assert draw(task, shared, ids).sharp == {}


def test_every_verdict_draws_the_same_sharp_controls():
    task, controls, ids = make(4, MOST)
    assert draw(task, controls, ids).sharp == draw(task, controls, ids).sharp


@pytest.mark.parametrize("kind", [{"hidden": False}, {"sharp": False}])
def test_other_controls_are_drawn_but_bound_nothing(kind):
    task, controls, ids = make(5, 5, **kind)
    drawn = draw(task, controls, ids)
    assert (drawn.sharp, len(drawn.others)) == ({}, 3)
    assert len({item.test for item in drawn.others}) == 3


def test_controls_of_tests_that_do_not_count_are_left_out():
    task, controls, ids = make(3, 4)
    assert {control.test for control in draw(task, controls, ids[:1]).all} == {ids[0]}


def test_the_seed_of_the_process_predicts_nothing():
    task, controls, ids = make(8, 6, sharp=False)
    drawn = set()
    for _ in range(20):
        random.seed(0)
        drawn.add(draw(task, controls, ids).others)
    assert len(drawn) > 5


def test_an_edit_is_laid_over_its_file():
    text = "a\n\u00e4 = [\n 1, 2]\r\nb"
    control = NegativeControl(test="t", path="x", line=2, column=4, old="[\n 1, 2]", new="[3]")
    assert apply(control, {"x": text}) == "a\n\u00e4 = [3]\r\nb"
    with pytest.raises(TaskError, match="does not fit x"):
        apply(control, {"x": text.replace("1", "7")})


def test_several_edits_are_laid_over_one_file():
    rows = [(1, 0, "a", "long"), (1, 4, "b", ""), (2, 1, "cc", "d")]
    controls = [
        NegativeControl(test="t", path="x", line=line, column=column, old=old, new=new)
        for line, column, old, new in rows
    ]
    assert apply_all(controls, {"x": "a   b\n.cc", "y": "."}) == {"x": "long   \n.d", "y": "."}
    with pytest.raises(TaskError, match="at the same place"):
        apply_all([controls[0], controls[0].model_copy(update={"old": "a  "})], {"x": "a   b"})
