from decimal import Decimal

import assayprint
from assayprint import Limits, NumberColumn, Report, Trend, format_number, round_half_even


def test_every_setting_of_a_number_is_followed():
    assayprint.configure(decimals=3, decimal_mark=",", group_mark=" ", missing="-")
    assert format_number(1234567.8916) == "1 234 567,892"
    assert format_number(None) == "-"
    assert round_half_even(0.12345) == Decimal("0.123")


def test_configure_again_and_again():
    assayprint.configure(decimals=1)
    assert format_number(2.06) == "2.1"
    assayprint.configure(decimal_mark=",")
    assert format_number(2.06) == "2,1"
    assayprint.configure(decimals=0, decimal_mark=".")
    assert format_number(2.06) == "2"


def test_override_ends():
    with assayprint.override(decimals=4, group_mark="'"):
        assert format_number(9876.5) == "9'876.5000"
        with assayprint.override(decimals=0):
            assert format_number(9876.25) == "9'876"
        assert format_number(9876.5) == "9'876.5000"
    assert format_number(9876.5) == "9876.50"


def test_width_of_a_report_follows_the_settings():
    report = Report("wide")
    report.add("ph", 7.4)
    assayprint.configure(width=14)
    assert report.render().splitlines()[2] == "ph                       7.40"
    assayprint.configure(width=6)
    assert report.render().splitlines()[2] == "ph               7.40"


def test_width_of_a_column_that_has_none_of_its_own():
    assayprint.configure(width=4, decimals=1)
    assert NumberColumn("x").cell(1.25) == " 1.2"
    assert NumberColumn("x", width=7).cell(1.25) == "    1.2"
    assert NumberColumn("x", width=7, decimals=2).cell(1.25) == "   1.25"


def test_a_column_that_was_made_before():
    report = Report("early", value_column=NumberColumn("value"))
    report.add("ph", 7.4)
    assert report.render().splitlines()[2] == "ph                   7.40"
    with assayprint.override(width=5, decimals=1):
        assert report.render().splitlines()[2] == "ph               7.4"


def test_trend_is_judged_as_printed():
    trend = Trend("crp", [7.24, 7.21])
    assert trend.direction == "down"
    assayprint.configure(decimals=1)
    assert trend.render() == "crp: 7.2 7.2 (steady)"
    assayprint.configure(decimals=0)
    assert Trend("crp", [7.4, 7.6]).render() == "crp: 7 8 (up)"


def test_described_limits():
    with assayprint.override(decimals=0, group_mark=".", decimal_mark=","):
        assert Limits(1000, 20000).describe() == "1.000 - 20.000"
    assert Limits(high=0.5).describe() == "< 0.50"
