from glass_house import House
from glass_house.bus import Bus


def test_no_frost():
    house = House({"palms": (9, 30), "ferns": (14, 22)})
    house.want("palms", -4)
    assert house.state() == "ferns 14, palms 9"


def test_the_ledger_has_what_was_wanted_first():
    house = House({"ferns": (14, 22)})
    house.want("ferns", 31)
    house.want("ferns", 3)
    assert house.ledger.rows("ferns") == ["31 by gardener", "22 by guard", "3 by gardener", "14 by guard"]


def test_the_last_row_is_what_the_heater_does():
    house = House({"ferns": (14, 22)})
    house.want("ferns", 25.5)
    assert house.ledger.last("ferns") == house.degrees("ferns") == 22


def test_a_night_that_would_be_too_cool():
    house = House({"palms": (15, 30)})
    house.want("palms", 19)
    house.strike(22)
    assert house.degrees("palms") == 15


def test_the_morning_after_too_much():
    house = House({"palms": (9, 26)})
    house.want("palms", 50)
    house.strike(22)
    assert house.degrees("palms") == 20
    house.strike(6)
    assert house.degrees("palms") == 26


def test_nights_of_two_zones():
    house = House({"ferns": (14, 22), "palms": (9, 30)})
    house.want("ferns", 17)
    house.want("palms", 33)
    house.strike(22)
    assert house.state() == "ferns 14, palms 24"


def test_all_hear_everything_in_the_order_in_which_it_is_told():
    bus, first, second = Bus(), [], []

    def answer(number):
        first.append(number)
        if number < 8:
            bus.tell(number * 2)
            bus.tell(number + 100)

    bus.listen(int, answer)
    bus.listen(int, second.append)
    bus.tell(3)
    assert first == second == [3, 6, 103, 12, 106]


def test_one_who_fails_is_not_the_end():
    bus, heard = Bus(), []

    def picky(number):
        if number < 0:
            raise ValueError(number)
        heard.append(number)

    bus.listen(int, picky)
    for number in (1, -1, 2):
        try:
            bus.tell(number)
        except ValueError:
            heard.append("refused")
    assert heard == [1, "refused", 2]


def test_what_is_within_the_limits_is_left_alone():
    house = House({"ferns": (14, 22)})
    house.want("ferns", 22)
    house.want("ferns", 14)
    assert house.ledger.rows("ferns") == ["22 by gardener", "14 by gardener"]
