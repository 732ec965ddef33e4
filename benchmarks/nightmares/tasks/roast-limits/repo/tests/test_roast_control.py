import pytest

from roast_control import Moments, Roaster
from roast_control.limits import Limits


def test_moments_of_numbers():
    moments = Moments.of([2, 4, 4, 4, 5, 5, 7, 9])
    assert (moments.count, moments.mean) == (8, 5)
    assert round(moments.deviation, 4) == 2.1381


def test_far_from_zero():
    assert Moments.of([1e9, 1e9 + 1, 1e9 + 2]).deviation == 1


def test_one_number_has_no_spread():
    assert Moments.of([250]).deviation == Moments().deviation == 0


def test_days_with_the_same_mean():
    roaster = Roaster(width=2)
    roaster.weigh("drum", 1, [249, 251])
    roaster.weigh("drum", 2, [248, 252, 250])
    assert roaster.week("drum", 1, 7) == (
        "drum: 5 bags, mean 250.00 g, deviation 1.581 g, limits 246.84 to 253.16 g"
    )


def test_limits():
    limits = Limits(Moments.of([9, 10, 11]), 2)
    assert str(limits) == "8.00 to 12.00 g"
    assert limits.holds(12) and not limits.holds(12.1)


def test_what_there_is_not():
    roaster = Roaster()
    roaster.weigh("drum", 1, [250])
    assert roaster.week("drum", 2, 9) == "drum: nothing roasted"
    with pytest.raises(KeyError):
        roaster.week("plate", 1, 7)
    with pytest.raises(ValueError, match="width"):
        Roaster(width=0)


def test_a_day_alone():
    roaster = Roaster(width=1)
    roaster.weigh("drum", 3, [249, 250, 251])
    assert roaster.flag("drum", 4, [249.1, 251.3, 248.9]) == "drum, day 4: 251.3, 248.9"


def test_the_week_of_the_big_drum():
    roaster = Roaster(width=2)
    roaster.weigh("big drum", 1, [249.0, 250.0, 251.0])
    roaster.weigh("big drum", 2, [253.0, 254.0, 255.0])
    assert roaster.week("big drum", 1, 7) == (
        "big drum: 6 bags, mean 252.00 g, deviation 2.366 g, limits 247.27 to 256.73 g"
    )
