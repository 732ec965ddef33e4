from roast_control import Moments, Roaster
from roast_control.days import together


def roaster_of(width, **machines):
    roaster = Roaster(width)
    for name, days in machines.items():
        for day, grams in enumerate(days, 1):
            roaster.weigh(name, day, grams)
    return roaster


def test_two_bags_of_two_days():
    assert roaster_of(1, drum=[[100], [104]]).week("drum", 1, 2) == (
        "drum: 2 bags, mean 102.00 g, deviation 2.828 g, limits 99.17 to 104.83 g"
    )


def test_three_days_that_drift():
    page = roaster_of(2, drum=[[10, 12], [20, 22], [30, 32]]).week("drum", 1, 7)
    assert page == "drum: 6 bags, mean 21.00 g, deviation 9.011 g, limits 2.98 to 39.02 g"


def test_a_long_day_and_a_short_one():
    page = roaster_of(1, drum=[[500] * 9, [510]]).week("drum", 1, 7)
    assert page == "drum: 10 bags, mean 501.00 g, deviation 3.162 g, limits 497.84 to 504.16 g"


def test_all_machines_together():
    roaster = roaster_of(1, drum=[[40, 44], [48]], plate=[[], [60, 62, 64]])
    assert roaster.house(1, 2) == "house: 6 bags, mean 53.00 g, deviation 10.257 g, limits 42.74 to 63.26 g"


def test_what_is_put_aside_after_a_drift():
    roaster = roaster_of(1, drum=[[100, 102], [110, 112]])
    assert roaster.flag("drum", 3, [99.0, 101.0, 111.0, 112.5]) == "drum, day 3: 99.0, 112.5"


def test_in_parts_as_in_one():
    numbers = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]
    whole = together(Moments.of(numbers[at : at + 3]) for at in range(0, 12, 3))
    assert (whole.count, round(whole.mean, 6)) == (12, 4.333333)
    assert round(whole.deviation, 6) == 2.534609


def test_tiny_spread_of_great_weights():
    parts = [Moments.of([1e8 + step, 1e8 + step + 0.5]) for step in (0, 1, 2)]
    assert round(together(parts).deviation, 4) == 0.9354


def test_nothing_joins_nothing():
    whole = together([Moments(), Moments.of([7]), Moments()])
    assert (whole.count, whole.mean, whole.deviation) == (1, 7, 0)


def test_parts_stay_as_they_are():
    part = Moments.of([1, 3])
    together([part, Moments.of([5])])
    assert (part.count, part.mean) == (2, 2)
