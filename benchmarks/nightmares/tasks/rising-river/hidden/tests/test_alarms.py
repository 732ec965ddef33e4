from gauge_watch import Station, watch
from gauge_watch.watching import Watch


def texts(lines, *stations):
    return [str(alarm) for alarm in watch(lines, list(stations))]


def test_two_rivers_side_by_side():
    lines = ["0 mill 1.00", "0 weir 2.00", "30 mill 1.10", "30 weir 2.40", "60 mill 1.20", "60 weir 2.90"]
    assert texts(lines, Station("mill", fast=0.5), Station("weir", zero=1.25, fast=0.5)) == [
        "01:00 weir at 4.15 m, rising 0.90 m/h"
    ]


def test_an_alarm_comes_once_until_the_river_is_calm():
    levels = [1.0, 1.4, 1.8, 2.2, 2.2, 2.2, 2.2, 2.9, 3.6]
    lines = ["%d mill %.2f" % (60 * hour, level) for hour, level in enumerate(levels)]
    assert texts(lines, Station("mill", fast=0.3)) == [
        "02:00 mill at 1.80 m, rising 0.40 m/h",
        "07:00 mill at 2.90 m, rising 0.35 m/h",
    ]


def test_a_longer_span():
    lines = ["%d mill %.2f" % (20 * n, 1 + 0.05 * n * n) for n in range(7)]
    assert texts(lines, Station("mill", fast=0.7, span=5)) == ["01:40 mill at 2.25 m, rising 0.90 m/h"]


def test_the_shortest_span():
    assert texts(["60 mill 1.00", "75 mill 1.30"], Station("mill", fast=1.0, span=2)) == [
        "01:15 mill at 1.30 m, rising 1.20 m/h"
    ]


def test_the_mean_on_the_board():
    watching = Watch(["0 mill 1.00", "15 mill 1.50", "30 mill 3.20"], [Station("mill", zero=0.25, fast=9)])
    assert list(watching.alarms()) == []
    assert watching.board() == "mill       3.45 m, mean  2.150 m"


def test_the_mean_of_the_last_three():
    lines = ["%d weir %.1f" % (minute, minute / 10) for minute in (10, 20, 30, 60, 90)]
    watching = Watch(lines, [Station("weir", fast=99)])
    list(watching.alarms())
    assert watching.board() == "weir       9.00 m, mean  6.000 m"


def test_late_readings_do_not_disturb():
    lines = ["0 mill 1.00", "30 mill 1.20", "15 mill 9.00", "60 mill 1.60"]
    assert texts(lines, Station("mill", fast=0.6)) == ["01:00 mill at 1.60 m, rising 0.60 m/h"]


def test_nobody_looks_after_other_stations():
    assert texts(["0 tide 1", "30 tide 5", "60 tide 9"], Station("mill")) == []


def test_a_river_that_falls():
    assert texts(["0 mill 5", "30 mill 4", "60 mill 3"], Station("mill")) == []
