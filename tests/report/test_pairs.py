import json

import pytest

from debug_gym.report import tables
from debug_gym.report.leaderboard import boards
from debug_gym.report.load import load
from debug_gym.report.pairs import by_name, pairs
from debug_gym.report.statistics import interval, paired

HARD = [0.0] * 20
EASY = [1.0] * 20


def test_what_makes_tasks_hard_does_not_blur_a_difference():
    """Both fail at half of the tasks; one of them also at a quarter of the rest. Unpaired, nothing shows."""
    strong, weak = HARD + EASY, HARD + [0.0] * 6 + [1.0] * 14
    found = paired(strong, weak)
    assert found.difference == pytest.approx(0.15)
    assert found.low > 0 and found.distinct
    assert (found.wins, found.losses, found.tasks) == (6, 0, 40)
    assert interval(strong)[0] < interval(weak)[1]


def test_chance_is_no_difference():
    one, two = [1.0, 0.0] * 10, [0.0, 1.0] * 9 + [0.0, 0.0]
    found = paired(one, two)
    assert found.low < 0 < found.difference < found.high
    assert not found.distinct
    turned = paired(two, one)
    assert turned.difference == pytest.approx(-found.difference)
    assert (turned.wins, turned.losses) == (found.losses, found.wins)


@pytest.mark.parametrize("count", [1, 3, 30])
def test_equal_differences_still_leave_doubt(count):
    same = paired([1.0] * count, [1.0] * count)
    assert same.low == -same.high < 0 and not same.distinct
    better = paired([1.0] * count, [0.0] * count)
    assert better.difference == 1.0 == better.high
    assert better.distinct is (count > 3)  # three tasks prove nothing


@pytest.mark.parametrize(("one", "two"), [([], []), ([1.0], [1.0, 0.0])])
def test_rates_must_be_of_the_same_tasks(one, two):
    with pytest.raises(ValueError, match="same tasks"):
        paired(one, two)


def test_runs_are_compared_on_the_tasks_that_both_have_played(store_run, capsys):
    tasks = [f"t{number}" for number in range(12)]
    folders = [
        store_run("good", dict.fromkeys(tasks, "1")),
        store_run("weak", {task: "0" if number < 9 else "!" for number, task in enumerate(tasks)}),
        store_run("gold", dict.fromkeys(tasks, "1"), agent="oracle"),
    ]
    (board,) = boards(load(folders))
    (pair,) = pairs(board)
    assert (pair.first, pair.second, pair.compared.tasks, pair.compared.wins) == ("good", "weak", 9, 9)
    assert by_name([pair])["weak", "good"].difference == -1.0
    (line,) = tables.against(board)
    assert line.startswith("good less weak: +100.0 [") and line.endswith("they differ")
    assert json.loads(tables.as_json([board], compare=True))[0]["pairs"][0]["first"] == "good"
    assert "good less weak" in tables.as_markdown([board], compare=True)
    assert "less" not in tables.as_markdown([board])
