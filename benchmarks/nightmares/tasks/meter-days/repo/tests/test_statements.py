from datetime import date, datetime, time, timedelta, timezone

import pytest

from kilowatt_days import Meter, Reading, Tariff, Zone, days_in, make_statement, month

HOUR = timedelta(hours=1)
UTC = timezone.utc
BERLIN = Zone(
    "Berlin",
    HOUR,
    [
        (datetime(2023, 3, 26, 1, tzinfo=UTC), 2 * HOUR),
        (datetime(2023, 10, 29, 1, tzinfo=UTC), HOUR),
        (datetime(2024, 3, 31, 1, tzinfo=UTC), 2 * HOUR),
    ],
)
TARIFF = Tariff(day=300, night=200)


def steady(first, hours, wh=100):
    meter = Meter("M1")
    meter.record_series(first, [wh] * hours)
    return meter


def test_local_clock():
    assert BERLIN.local(datetime(2023, 7, 1, 22, 30, tzinfo=UTC)) == datetime(2023, 7, 2, 0, 30)
    assert BERLIN.start_of_day(date(2023, 7, 2)) == datetime(2023, 7, 1, 22, tzinfo=UTC)
    assert BERLIN.start_of_day(date(2023, 12, 2)) == datetime(2023, 12, 1, 23, tzinfo=UTC)


def test_days_of_a_month():
    days = list(days_in(month(BERLIN, 2023, 2)))
    assert len(days) == 28
    assert days[0][0] == date(2023, 2, 1)
    assert days[27][1].end == datetime(2023, 2, 28, 23, tzinfo=UTC)


def test_statement_of_july():
    meter = steady(datetime(2023, 6, 30, tzinfo=UTC), 33 * 24)
    statement = make_statement(meter, month(BERLIN, 2023, 7), TARIFF)
    assert statement.wh == 31 * 2400
    assert {use.wh for use in statement.days} == {2400}
    assert {use.price for use in statement.days} == {8 * 100 * 200 + 16 * 100 * 300}


def test_the_days_of_october_add_up():
    meter = steady(datetime(2023, 9, 30, tzinfo=UTC), 33 * 24)
    statement = make_statement(meter, month(BERLIN, 2023, 10), TARIFF)
    assert statement.wh == 74500
    assert sum(use.wh for use in statement.days) == 74500


def test_late_and_repeated_readings():
    meter = Meter("M1")
    for hour, wh in ((12, 5), (10, 3), (12, 7)):
        meter.record(Reading(datetime(2023, 7, 1, hour, tzinfo=UTC), wh))
    statement = make_statement(meter, month(BERLIN, 2023, 7), TARIFF)
    assert statement.highest.wh == 10


def test_night():
    tariff = Tariff(300, 200)
    assert [tariff.is_night(time(hour)) for hour in (5, 6, 21, 22)] == [True, False, False, True]


def test_readings_must_be_in_utc():
    with pytest.raises(ValueError, match="UTC"):
        Reading(datetime(2023, 7, 1, tzinfo=timezone(HOUR)), 1)


def test_text():
    meter = steady(datetime(2023, 2, 9, 23, tzinfo=UTC), 2, wh=1500)
    rows = make_statement(meter, month(BERLIN, 2023, 2), TARIFF).text().splitlines()
    assert rows[0] == "Meter M1"
    assert rows[10] == "10.02.     3.000 kWh"
    assert rows[-1] == "Sum        3.000 kWh"
