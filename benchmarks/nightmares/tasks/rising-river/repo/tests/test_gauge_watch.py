import pytest

from gauge_watch import Feed, Station, watch
from gauge_watch.readings import Reading
from gauge_watch.watching import Watch
from gauge_watch.windows import Window


def test_the_feed_leaves_out_what_comes_late():
    feed = Feed(["600 mill 1.20", "", "# calm", "615 mill 1.25", "610 mill 1.90", "630 mill 1.25 # ok"])
    assert [(reading.minute, reading.level) for reading in feed] == [(600, 1.2), (615, 1.25), (630, 1.25)]
    assert feed.late == 1
    assert feed.latest("mill").minute == 630
    assert feed.latest("weir") is None


def test_a_line_that_is_no_reading():
    with pytest.raises(ValueError, match="not a reading: '600 mill'"):
        list(Feed(["600 mill"]))


def test_a_window_measures_the_rise():
    window = Window(3)
    for minute, level in [(0, 5.0), (60, 1.0), (90, 1.5), (120, 2.0)]:
        window.add(Reading("mill", minute, level))
    assert window.full
    assert window.mean() == 1.5
    assert window.rise() == 1.0


def test_calm_rivers_raise_no_alarm():
    lines = ["%d mill %.2f" % (minute, 1.5 - minute / 10000) for minute in range(0, 600, 15)]
    assert watch(lines, [Station("mill")]) == []


def test_the_board():
    watching = Watch(["600 mill 1.20", "615 tide 9.99"], [Station("mill", zero=0.5), Station("weir")])
    assert list(watching.alarms()) == []
    assert watching.board().splitlines() == ["mill       1.70 m, mean  1.700 m", "weir     no reading yet"]


def test_two_stations_of_a_name():
    with pytest.raises(ValueError, match="two stations are called mill"):
        watch([], [Station("mill"), Station("mill")])


def test_a_river_that_rises_is_told_of():
    lines = ["600 mill 1.20", "615 mill 1.30", "630 mill 1.45", "645 mill 1.70"]
    alarms = watch(lines, [Station("mill", zero=0.5, fast=0.4)])
    assert [str(alarm) for alarm in alarms] == ["10:30 mill at 1.95 m, rising 0.50 m/h"]
