import pytest

from cherry_floor import BadReading, Floor, Reading, parse_line

METER = "kenya-5 moisture nan"


@pytest.fixture
def floor():
    floor = Floor()
    floor.hand_in("aceh-1 aroma 86\nbali-2 aroma 81\ncoban-3 aroma 84\ndalat-4 aroma 79.5")
    return floor


def test_what_the_meter_could_not_tell_is_refused(floor):
    assert floor.hand_in(f"{METER}\naceh-1 moisture 90\nbali-2 moisture NaN") == [
        "kenya-5 moisture nan",
        "bali-2 moisture NaN",
    ]
    assert floor.offered() == ["aceh-1", "coban-3", "bali-2", "dalat-4"]


def test_lines_without_points():
    for text in ("nan", "NaN", "-nan", "+NAN"):
        with pytest.raises(BadReading):
            parse_line(f"kenya-5 moisture {text}")


def test_a_lot_keeps_its_score(floor):
    floor.hand_in("coban-3 aroma nan\ncoban-3 body NaN")
    assert floor.score_of("coban-3") == 84.0
    assert floor.place_of("coban-3") == 2
    assert floor.offered(least=80) == ["aceh-1", "coban-3", "bali-2"]


def test_a_lot_without_a_reading_is_not_offered(floor):
    floor.hand_in(METER)
    assert floor.score_of("kenya-5") is None
    assert floor.place_of("kenya-5") is None
    assert [floor.sell("Ikeda") for _ in range(5)] == ["aceh-1", "coban-3", "bali-2", "dalat-4", None]


def test_it_is_offered_once_it_has_one(floor):
    floor.hand_in(METER)
    floor.hand_in("kenya-5 aroma 83.5")
    assert floor.offered() == ["aceh-1", "coban-3", "kenya-5", "bali-2", "dalat-4"]
    assert floor.score_of("kenya-5") == 83.5


def test_lots_that_come_later_are_in_their_places(floor):
    floor.hand_in(METER)
    floor.hand_in("enrekang-6 aroma 85\nflores-7 aroma 80\ngayo-8 aroma 92")
    assert floor.offered() == [
        "gayo-8",
        "aceh-1",
        "enrekang-6",
        "coban-3",
        "bali-2",
        "flores-7",
        "dalat-4",
    ]
    assert floor.offered(least=85) == ["gayo-8", "aceh-1", "enrekang-6"]


def test_a_lot_that_leaves_takes_no_other_with_it(floor):
    floor.hand_in(METER)
    floor.hand_in("lampung-9 aroma 70\nmandheling-10 aroma 83\nnias-11 aroma 71")
    floor.withdraw("coban-3")
    floor.withdraw("lampung-9")
    assert floor.offered() == ["aceh-1", "mandheling-10", "bali-2", "dalat-4", "nias-11"]
    assert floor.sell("Moe", least=86) == "aceh-1"
    assert floor.sell("Moe", least=83.1) is None
    assert floor.bought_by("Moe") == ["aceh-1"]


def test_highest_and_lowest_points_are_readings():
    assert parse_line("a aroma 0") == Reading("a", "aroma", 0.0)
    assert parse_line("a aroma 100") == Reading("a", "aroma", 100.0)


def test_points_without_end_are_refused(floor):
    assert floor.hand_in("aceh-1 body inf\naceh-1 body -inf") == ["aceh-1 body inf", "aceh-1 body -inf"]
    assert floor.score_of("aceh-1") == 86.0


def test_a_lot_that_was_sold_stays_sold(floor):
    assert floor.sell("Moe") == "aceh-1"
    floor.hand_in("aceh-1 body 99")
    assert floor.offered() == ["coban-3", "bali-2", "dalat-4"]
    assert floor.score_of("aceh-1") == 92.5
