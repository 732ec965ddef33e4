from datetime import date
from fractions import Fraction

import pytest

from silo_weeks import Line, NotEnough, SiloHouse, Span, quarter, week, week_of, weeks_in


@pytest.fixture
def house():
    return SiloHouse({"barley": Fraction(4), "wheat": Fraction(5, 2)})


def test_calendar():
    assert week(2024, 1) == Span(date(2024, 7, 1), date(2024, 7, 7))
    assert [year for year in range(2015, 2026) if weeks_in(year) == 53] == [2019, 2024]
    assert quarter(2024, 4).days == 14 * 7
    assert week_of(date(2025, 7, 6)) == (2024, 53)
    with pytest.raises(ValueError, match="fiscal year 2024 has no week 54"):
        week(2024, 54)


def test_spans():
    span = week(2024, 1)
    assert span.days == 7
    assert span.overlap(Span(date(2024, 7, 7), date(2024, 7, 9))) == Span(date(2024, 7, 7), date(2024, 7, 7))
    assert span.overlap(week(2024, 2)) is None


def test_grain_that_came_and_went(house):
    house.deliver("Harms", "barley", 24000, date(2024, 7, 3))
    house.fetch("Harms", "barley", 9000, date(2024, 7, 10))
    house.fetch("Harms", "barley", 15000, date(2024, 7, 19))
    assert house.bill_for_week("Harms", 2024, 1).lines == (Line("barley", 5, 480),)
    assert house.bill_for_week("Harms", 2024, 2).lines == (Line("barley", 7, 492),)
    assert house.bill_for_week("Harms", 2024, 3).lines == (Line("barley", 4, 240),)
    assert house.bill_for_week("Harms", 2024, 4).lines == ()


def test_a_bill_stays_the_same_when_grain_moves_in_a_later_week(house):
    house.deliver("Harms", "barley", 24000, date(2024, 7, 3))
    before = house.bill_for_week("Harms", 2024, 2)
    house.deliver("Harms", "barley", 1000, date(2024, 8, 1))
    assert house.bill_for_week("Harms", 2024, 2) == before


def test_what_is_noted_late_counts(house):
    house.deliver("Olsen", "wheat", 4000, date(2024, 7, 2))
    house.fetch("Olsen", "wheat", 4000, date(2024, 7, 16))
    house.deliver("Olsen", "wheat", 3000, date(2024, 7, 9))
    house.fetch("Olsen", "wheat", 3000, date(2024, 7, 15))
    assert house.bill_for_week("Olsen", 2024, 2).cents == 115


def test_more_than_there_is(house):
    house.deliver("Olsen", "wheat", 4000, date(2024, 7, 2))
    with pytest.raises(NotEnough, match="500 kg are missing"):
        house.fetch("Olsen", "wheat", 4500, date(2024, 7, 5))
    assert house.level("Olsen", "wheat", date(2024, 7, 5)) == 4000


def test_text(house):
    house.deliver("Harms", "barley", 24000, date(2024, 7, 3))
    house.fetch("Harms", "barley", 24000, date(2024, 7, 8))
    assert house.bill_for_week("Harms", 2024, 1).text().splitlines() == [
        "Harms, 2024-07-01 to 2024-07-07",
        "barley      5 days      4.80",
        "total                   4.80",
    ]
