"""The runs of a verdict show nothing: whoever sees all of them does not find the originals."""

import math
import random
import re
from collections import Counter

import pytest

from debug_gym.judge.controls.sample import draw, odds
from debug_gym.judge.plan import Plan
from debug_gym.task import DirectorySource, NegativeControl, Task, Tests

PATH = "tests/test_a.py"
VISIBLE = "tests/test_b.py"
DRAWS = 4000


def case(counts, *, kept=2, share=False):
    """Tests with so many sharp controls each, whose expectation is a number of two digits, and others."""
    names = [f"test_{i}" for i in range(len(counts))]
    rest = [f"test_kept_{i}" for i in range(kept)]
    lines = [f"def {name}(): assert f() == {10 + number}" for number, name in enumerate([*names, *rest])]
    ids = {name: f"{PATH}::{name}" for name in (*names, *rest)}
    controls = [
        NegativeControl(
            test=ids[name],
            path=PATH,
            line=line,
            column=lines[line - 1].index("==") + 3,
            old=str(9 + line),
            new=str(50 + 10 * line + other),
            sharp=name in names,
        )
        for line, name in enumerate([*names, *rest], 1)
        for other in range(counts[line - 1] if line <= len(counts) else 1)
    ]
    tests = Tests(
        hidden={PATH: "\n".join(lines)},
        fail_to_pass=tuple(ids[name] for name in names),
        pass_to_pass=tuple(ids[name] for name in rest),
        share_sandbox=share,
    )
    task = Task(id="a", problem="", source=DirectorySource(path="/"), tests=tests)
    return task, draw(task, controls, tests.required)


def planned(task, drawn, seed, required=None):
    tests = task.tests.required if required is None else required
    return Plan(task, tests, drawn, dict(task.tests.hidden), random.Random(seed))


def shown(trial, test):
    """The number that a test's text demands in a trial."""
    return re.search(rf"def {test.rpartition('::')[2]}\(\): assert f\(\) == (\d+)", trial.texts[PATH])[1]


@pytest.mark.parametrize("share", [False, True])
def test_every_variant_of_a_test_runs_once(share):
    task, drawn = case([3, 2, 1], share=share)
    for seed in range(50):
        rounds = planned(task, drawn, seed).rounds()
        assert len(rounds) == (6 if share else 4)
        for test, controls in drawn.sharp.items():
            ran = [trial.controls.get(test) for trial in rounds if test in trial.tests]
            assert sorted(map(str, ran)) == sorted(map(str, [None, *controls]))
            assert all(
                str(trial.controls[test].new) == shown(trial, test)
                for trial in rounds
                if test in trial.controls
            )
        for test in task.tests.pass_to_pass:
            ran = [trial for trial in rounds if test in trial.tests]
            assert len(ran) == 2
            assert any(test in trial.originals for trial in ran)


def test_the_text_of_an_original_is_laid_no_more_often_than_any_other():
    """Over all draws every variant of a test is seen equally often, run or not."""
    task, drawn = case([3, 1, 5])
    seen = {test: Counter() for test in drawn.sharp}
    for seed in range(DRAWS):
        for trial in planned(task, drawn, seed).rounds():
            for test, count in seen.items():
                count[shown(trial, test)] += 1
    for count in seen.values():
        expected = count.total() / len(count)
        assert all(abs(number - expected) < 5 * math.sqrt(expected) for number in count.values())


def test_hardly_two_runs_lay_the_same_file():
    task, drawn = case([6] * 5)
    same = sum(
        len({trial.texts[PATH] for trial in rounds}) < len(rounds)
        for rounds in (planned(task, drawn, seed).rounds() for seed in range(200))
    )
    assert same == 0


def _majority(rounds, test, ran):
    count = Counter(shown(trial, test) for trial in rounds)
    return max(ran, key=lambda trial: count[shown(trial, test)])


def _rarest(rounds, test, ran):
    count = Counter(shown(trial, test) for trial in rounds)
    return min(ran, key=lambda trial: count[shown(trial, test)])


def _crowded(rounds, test, ran):
    return max(ran, key=lambda trial: (len(trial.tests), len(trial.texts[PATH])))


def _nearest(rounds, test, ran):
    """The text that differs least from all others."""
    lines = {trial: trial.texts[PATH].splitlines() for trial in rounds}
    return min(
        ran,
        key=lambda mine: sum(
            a != b for other in rounds for a, b in zip(lines[mine], lines[other], strict=True)
        ),
    )


def _first(rounds, test, ran):
    return ran[0]


FORGERS = (_majority, _rarest, _crowded, _nearest, _first)


@pytest.mark.parametrize("forger", FORGERS)
def test_forgers_whose_runs_collude_get_through_no_more_often_than_the_odds_say(forger):
    """They see all runs at once, before they let any test pass, and know how runs are planned."""
    task, drawn = case([2, 1, 1])
    bound = odds([2, 1, 1])
    won = 0
    for seed in range(DRAWS):
        rounds = planned(task, drawn, seed).rounds()
        chosen = {test: forger(rounds, test, [x for x in rounds if test in x.tests]) for test in drawn.sharp}
        won += all(test in trial.originals for test, trial in chosen.items())
    assert won <= DRAWS * bound + 4 * math.sqrt(DRAWS * bound)


def test_a_blind_forger_does_worse():
    """It accepts a text by itself, with the best probability, and knows nothing of the other runs."""
    task, drawn = case([2, 1, 1])
    won = 0
    for seed in range(DRAWS):
        chance = random.Random(f"forger {seed}")
        rounds = planned(task, drawn, seed).rounds()
        verdicts = [
            (chance.random() < 1 / (len(drawn.sharp[test]) + 1)) == (test in trial.originals)
            for trial in rounds
            for test in trial.tests
            if test in drawn.sharp
        ]
        won += all(verdicts)
    assert 0 < won < DRAWS * odds([2, 1, 1]) / 2


@pytest.mark.parametrize("accepted", [0, 1, 2, 3, 4])
def test_two_tries_are_no_better_than_one(accepted):
    """Letting so many variants pass in the rounds, then one of them when the test runs again."""
    task, drawn = case([3])
    (test,) = drawn.sharp
    won = 0
    for seed in range(DRAWS):
        plan = planned(task, drawn, seed)
        passing = {shown(trial, test): test in trial.originals for trial in plan.rounds()[:accepted]}
        (group,) = plan.again([test])
        assert [trial.tests for trial in group] == [(test,)] * 4
        if accepted == 0:
            won += test in group[0].originals
        elif accepted == 1:
            won += any(passing.values())
        elif any(passing.values()):
            won += next(test in trial.originals for trial in group if shown(trial, test) in passing)
    assert abs(won - DRAWS / 4) < 5 * math.sqrt(DRAWS / 4)


def test_tests_run_again_alone_and_those_without_controls_first():
    task, drawn = case([2, 1], kept=2)
    groups = planned(task, drawn, 0).again(task.tests.required)
    assert [len(group) for group in groups] == [2, 2, 2, 3]
    assert all(trial.final and len(trial.tests) == 1 for group in groups for trial in group)
    assert all(len([trial for trial in group if not trial.controls]) == 1 for group in groups)


def test_tests_that_share_a_sandbox_run_again_together():
    task, drawn = case([1], kept=3, share=True)
    (first, *_) = planned(task, drawn, 0).again(task.tests.required)
    assert {trial.tests for trial in first} == {task.tests.pass_to_pass}
    assert sorted(len(trial.controls) for trial in first) == [0, 1, 1, 1]
    assert all(trial.final for trial in first)


def test_tests_of_one_function_do_not_run_beside_a_control_of_one_of_them():
    task, _ = case([], kept=1)
    ids = (f"{PATH}::test_kept_0[a]", f"{PATH}::test_kept_0[b]")
    control = NegativeControl(test=ids[0], path=PATH, line=1, column=33, old="10", new="9")
    tests = task.tests.model_copy(update={"pass_to_pass": ids})
    drawn = draw(task, [control], ids)
    rounds = planned(task.model_copy(update={"tests": tests}), drawn, 0).rounds()
    assert sorted(trial.tests for trial in rounds) == [ids[:1], ids]
    everything = planned(
        task.model_copy(update={"tests": Tests(hidden=task.tests.hidden)}), drawn, 0, ids
    ).rounds()
    assert [trial.tests for trial in everything] == [ids, ids]
    assert {trial.ignored for trial in everything} == {frozenset(), frozenset(ids[1:])}


def test_without_controls_there_is_one_run_and_without_tests_none():
    task, _ = case([], kept=2)
    (trial,) = planned(task, draw(task, [], ()), 0).rounds()
    assert trial.tests == task.tests.required
    assert not trial.final
    assert planned(task, draw(task, [], ()), 0, ()).rounds() == []
