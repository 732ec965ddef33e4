import pytest

from supper_line import Evening, Kitchen
from supper_line.places import Place


def play(places, *orders):
    evening = Evening(Kitchen(places))
    for order in orders:
        evening.order(*order)
    return evening.play().splitlines()


def test_one_dish():
    assert play({"grill": 1}, (1, "steak", 5)) == ["table 1: steak at 15 (grill 7), waited 0"]


def test_nothing_to_wait_for():
    assert play({}, (1, "salad", 0)) == ["table 1: salad at 4 (nothing to wait for), waited 0"]


def test_who_comes_later_waits():
    assert play({"grill": 1}, (1, "steak", 0), (2, "toast", 4), (3, "toast", 5)) == [
        "table 1: steak at 10 (grill 2), waited 0",
        "table 2: toast at 12 (grill 10), waited 6",
        "table 3: toast at 14 (grill 12), waited 7",
    ]


def test_room_for_two():
    lines = play({"stove": 2}, (1, "soup", 0), (2, "soup", 1), (3, "soup", 2))
    assert [line.partition("waited ")[2] for line in lines] == ["0", "0", "4"]


def test_places():
    with pytest.raises(ValueError, match="grill has no room"):
        Place("grill", 0)
    with pytest.raises(KeyError):
        Evening(Kitchen({})).order(1, "ice", at=0)


def test_a_line_moves_on():
    orders = [(table, "toast", 0) for table in range(1, 5)]
    assert [line.partition(" at ")[2][:1] for line in play({"grill": 1}, *orders)] == ["2", "4", "6", "8"]


def test_a_toast_that_waits_is_not_overtaken():
    assert play({"grill": 1}, (1, "steak", 0), (2, "skewer", 6), (3, "toast", 7)) == [
        "table 1: steak at 10 (grill 2), waited 0",
        "table 3: toast at 12 (grill 10), waited 3",
        "table 2: skewer at 19 (grill 12), waited 2",
    ]
