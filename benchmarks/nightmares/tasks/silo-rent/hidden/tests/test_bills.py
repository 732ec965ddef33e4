from datetime import date
from fractions import Fraction

import pytest

from silo_weeks import Line, SiloHouse


@pytest.fixture
def house():
    house = SiloHouse({"barley": Fraction(4), "rye": Fraction(3), "wheat": Fraction(5, 2)})
    house.deliver("Ruiz", "rye", 10000, date(2024, 8, 7))
    return house


def test_grain_that_stays(house):
    assert house.bill_for_week("Ruiz", 2024, 6).lines == (Line("rye", 5, 150),)
    assert house.bill_for_week("Ruiz", 2024, 7).lines == (Line("rye", 7, 210),)
    assert house.bill_for_week("Ruiz", 2024, 30).lines == (Line("rye", 7, 210),)


def test_delivered_on_the_last_day(house):
    house.deliver("Ruiz", "wheat", 6200, date(2024, 8, 18))
    assert house.bill_for_week("Ruiz", 2024, 7).lines == (Line("rye", 7, 210), Line("wheat", 1, 16))


def test_partly_fetched_on_the_last_day(house):
    house.fetch("Ruiz", "rye", 4000, date(2024, 8, 18))
    assert house.bill_for_week("Ruiz", 2024, 7).lines == (Line("rye", 7, 198),)


def test_statement_of_the_first_day_of_a_week(house):
    assert house.statement("Ruiz", date(2024, 8, 12)).lines == (Line("rye", 1, 30),)
    assert house.statement("Ruiz", date(2024, 8, 14)).lines == (Line("rye", 3, 90),)


def test_quarter_with_a_53rd_week():
    house = SiloHouse({"oats": Fraction(1)})
    house.deliver("Moe", "oats", 1000, date(2025, 1, 5))
    assert house.bill_for_quarter("Moe", 2024, 4).lines == (Line("oats", 98, 98),)
    assert house.bill_for_quarter("Moe", 2024, 3).lines == (Line("oats", 85, 85),)


def test_weeks_add_up_to_the_quarter(house):
    weeks = [house.bill_for_week("Ruiz", 2024, number).cents for number in range(1, 14)]
    assert sum(weeks) == house.bill_for_quarter("Ruiz", 2024, 1).cents == 1620


def test_delivered_on_the_day_after(house):
    house.deliver("Ruiz", "rye", 5000, date(2024, 8, 19))
    assert house.bill_for_week("Ruiz", 2024, 7).lines == (Line("rye", 7, 210),)


def test_fetched_on_the_last_day(house):
    house.fetch("Ruiz", "rye", 10000, date(2024, 8, 18))
    assert house.bill_for_week("Ruiz", 2024, 7).lines == (Line("rye", 6, 180),)


def test_late_delivery_is_in_no_earlier_bill(house):
    assert house.bill_for_week("Ruiz", 2024, 5).lines == ()
