from datetime import date, datetime, timedelta, timezone

from kilowatt_days import Meter, Reading, Tariff, Zone, days_in, make_statement, month

HOUR = timedelta(hours=1)
UTC = timezone.utc
BERLIN = Zone(
    "Berlin",
    HOUR,
    [
        (datetime(2023, 3, 26, 1, tzinfo=UTC), 2 * HOUR),
        (datetime(2023, 10, 29, 1, tzinfo=UTC), HOUR),
    ],
)
LORD_HOWE = Zone(
    "Lord Howe",
    11 * HOUR,
    [
        (datetime(2023, 4, 1, 15, tzinfo=UTC), 10.5 * HOUR),
        (datetime(2023, 9, 30, 15, 30, tzinfo=UTC), 11 * HOUR),
    ],
)
BEIRUT = Zone("Beirut", 2 * HOUR, [(datetime(2024, 3, 30, 22, tzinfo=UTC), 3 * HOUR)])
TARIFF = Tariff(day=300, night=200)


def test_day_on_which_the_clock_goes_back():
    meter = Meter("M1")
    meter.record_series(datetime(2023, 9, 30, tzinfo=UTC), [100] * 800)
    days = make_statement(meter, month(BERLIN, 2023, 10), TARIFF).days
    assert [use.wh for use in days[26:]] == [2400, 2400, 2500, 2400, 2400]
    assert days[28].price == 660_000


def test_day_on_which_the_clock_goes_forward():
    meter = Meter("M1")
    meter.record_series(datetime(2023, 2, 27, tzinfo=UTC), [100] * 900)
    statement = make_statement(meter, month(BERLIN, 2023, 3), TARIFF)
    assert statement.wh == 74300
    assert [use.wh for use in statement.days[24:]] == [2400, 2300, 2400, 2400, 2400, 2400, 2400]


def test_use_just_before_midnight_belongs_to_its_day():
    meter = Meter("M1")
    meter.record(Reading(datetime(2023, 10, 30, 22, tzinfo=UTC), 700))
    meter.record(Reading(datetime(2023, 10, 31, 22, tzinfo=UTC), 900))
    days = make_statement(meter, month(BERLIN, 2023, 10), TARIFF).days
    assert (days[29].day, days[29].wh) == (date(2023, 10, 30), 700)
    assert (days[30].day, days[30].wh) == (date(2023, 10, 31), 900)


def test_use_just_after_midnight_belongs_to_its_day():
    meter = Meter("M1")
    meter.record(Reading(datetime(2023, 3, 31, 22, tzinfo=UTC), 800))
    meter.record(Reading(datetime(2023, 3, 30, 22, tzinfo=UTC), 600))
    statement = make_statement(meter, month(BERLIN, 2023, 3), TARIFF)
    assert statement.highest.day == date(2023, 3, 31)
    assert statement.highest.wh == 600
    assert statement.days[29].wh == 0


def test_half_an_hour():
    hours = [span.hours for _, span in days_in(month(LORD_HOWE, 2023, 4))]
    assert hours[:4] == [24, 24.5, 24, 24]
    starts = [span.start for _, span in days_in(month(LORD_HOWE, 2023, 4))]
    assert starts[2] == datetime(2023, 4, 2, 13, 30, tzinfo=UTC)


def test_change_at_midnight():
    spans = {day: span for day, span in days_in(month(BEIRUT, 2024, 3))}
    assert spans[date(2024, 3, 30)].hours == 24
    assert spans[date(2024, 3, 31)].hours == 23
    assert spans[date(2024, 3, 31)].start == datetime(2024, 3, 30, 22, tzinfo=UTC)


def test_month_without_a_change():
    days = list(days_in(month(BERLIN, 2023, 12)))
    assert len(days) == 31
    assert days[30][1].start == datetime(2023, 12, 30, 23, tzinfo=UTC)
    assert days[30][1].end == datetime(2023, 12, 31, 23, tzinfo=UTC)
