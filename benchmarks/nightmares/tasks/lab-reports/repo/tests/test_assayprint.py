from decimal import Decimal

import pytest

import assayprint
from assayprint import Limits, NumberColumn, Report, Trend, format_number, round_half_even


def blood():
    report = Report("Sample 4711")
    report.add("glucose", 5.83, low=3.9, high=5.5)
    report.add("sodium", 139, low=135, high=145)
    report.add("ferritin", None, low=30)
    return report


def test_rounding_goes_to_the_even_neighbour():
    assert round_half_even(2.345) == Decimal("2.34")
    assert round_half_even(2.355) == Decimal("2.36")
    assert round_half_even(0.5, 0) == Decimal("0")


def test_numbers_with_the_default_settings():
    assert format_number(1234567.891) == "1234567.89"
    assert format_number(-0.5, decimals=3) == "-0.500"
    assert format_number(None) == "n/a"


def test_report_with_the_default_settings():
    assert blood().render().splitlines() == [
        "Sample 4711",
        "analyte             value    range",
        "glucose              5.83 H  3.90 - 5.50",
        "sodium             139.00    135.00 - 145.00",
        "ferritin              n/a    > 30.00",
    ]


def test_report_in_french():
    assayprint.configure(decimal_mark=",", decimals=1, flags=("bas", "haut"))
    assert blood().render().splitlines()[2:] == [
        "glucose               5,8 ha 3,9 - 5,5",
        "sodium              139,0    135,0 - 145,0",
        "ferritin              n/a    > 30,0",
    ]


def test_flags_follow_the_settings():
    limits = Limits(1, 2)
    with assayprint.override(flags=("-", "+")):
        assert (limits.flag(0.5), limits.flag(1.5), limits.flag(3)) == ("-", "", "+")
    assert (limits.flag(0.5), limits.flag(1.5), limits.flag(3)) == ("L", "", "H")


def test_settings_that_make_no_sense_change_nothing():
    with pytest.raises(ValueError, match="decimals must not be negative"):
        assayprint.configure(decimals=-1, missing="?")
    with pytest.raises(TypeError):
        assayprint.configure(colour="red")
    assert assayprint.configure() == assayprint.Settings()


def test_explicit_values_win():
    column = NumberColumn("value", width=6, decimals=0)
    assert column.cell(12.7) == "    13"


def test_trend():
    trend = Trend("crp", [4.0, 7.25])
    trend.add(7.251)
    assert trend.render() == "crp: 4.00 7.25 7.25 (steady)"
