import pytest

from glass_house import House

LIMITS = {"orchids": (18, 28), "cacti": (5, 35)}


def test_what_is_wanted_is_done():
    house = House(LIMITS)
    assert house.state() == "cacti 5, orchids 18"
    house.want("orchids", 24)
    assert house.state() == "cacti 5, orchids 24"
    assert house.ledger.rows("orchids") == ["24 by gardener"]


def test_windows():
    house = House(LIMITS)
    house.window("cacti", True)
    house.want("cacti", 20)
    assert house.state() == "cacti off, orchids 18"
    house.window("cacti", False)
    assert house.state() == "cacti 20, orchids 18"


def test_a_night():
    house = House(LIMITS)
    house.want("cacti", 30)
    house.strike(21)
    assert house.degrees("cacti") == 30
    house.strike(22)
    assert house.degrees("cacti") == 24
    house.strike(6)
    assert house.degrees("cacti") == 30
    assert house.ledger.rows("cacti") == ["30 by gardener", "24 by night", "30 by night"]


def test_what_there_is_not():
    house = House(LIMITS)
    assert house.ledger.last("orchids") is None
    with pytest.raises(KeyError):
        house.want("roses", 20)
    with pytest.raises(ValueError, match="neither"):
        House({"ice": (3, 2)})


def test_the_guard_is_in_the_ledger():
    house = House(LIMITS)
    house.want("orchids", 12)
    assert sorted(house.ledger.rows("orchids")) == ["12 by gardener", "18 by guard"]


def test_orchids_do_not_burn():
    house = House(LIMITS)
    house.want("orchids", 40)
    assert house.degrees("orchids") == 28
