import pytest

from prop_store import Desk, Kit, Shelves, Shortage

KITS = [
    Kit("night scene", {"lantern": 4, "rope": 1}, instead="dusk"),
    Kit("dusk", {"lantern": 2, "candle": 3}),
    Kit("banquet", {"chair": 6, "goblet": 6}),
]


def make_shelves():
    return Shelves({"lantern": 6, "rope": 4, "chair": 8, "goblet": 12, "candle": 10})


def make_desk(shelves=None):
    return Desk(shelves or make_shelves(), KITS)


def test_booking_and_giving_back():
    shelves = make_shelves()
    desk = make_desk(shelves)
    assert desk.book("Macbeth", ["night scene", ("chair", 2)])
    assert desk.slips("Macbeth") == ["night scene (4 x lantern, 1 x rope)", "chair (2 x chair)"]
    assert (shelves.left("lantern"), shelves.left("chair")) == (2, 6)
    desk.give_back("Macbeth")
    assert (shelves.left("lantern"), shelves.left("chair")) == (6, 8)


def test_a_kit_comes_instead():
    desk = make_desk()
    assert desk.book("Macbeth", ["night scene"])
    assert desk.book("Hamlet", ["night scene"])
    assert desk.slips("Hamlet") == ["dusk (3 x candle, 2 x lantern)"]


def test_single_items_are_all_or_nothing():
    shelves = make_shelves()
    desk = make_desk(shelves)
    assert not desk.book("Macbeth", [("chair", 8), ("goblet", 13)])
    assert shelves.left("chair") == 8
    assert desk.report().splitlines()[-1] == "refused: Macbeth (goblet: 13 wanted, 12 left)"


def test_half_a_kit_goes_back():
    shelves = make_shelves()
    desk = make_desk(shelves)
    assert desk.book("Lear", [("goblet", 9)])
    assert not desk.book("Macbeth", ["banquet"])
    assert shelves.left("chair") == 8


def test_rebooking():
    desk = make_desk()
    assert desk.book("Macbeth", [("lantern", 6)])
    assert desk.rebook("Macbeth", [("lantern", 5), ("rope", 1)])
    assert desk.slips("Macbeth") == ["lantern (5 x lantern)", "rope (1 x rope)"]


def test_the_shelves_alone():
    shelves = make_shelves()
    with pytest.raises(Shortage, match="rope: 5 wanted, 4 left"):
        shelves.take("rope", 5)
    with pytest.raises(ValueError, match="at least one rope"):
        shelves.take("rope", 0)
    with pytest.raises(KeyError):
        make_desk().book("Macbeth", ["matinee"])


def test_after_a_refusal_here_and_out_make_up_the_stock():
    desk = make_desk()
    assert desk.book("Lear", [("goblet", 9)])
    assert not desk.book("Macbeth", ["night scene", ("goblet", 4)])
    assert desk.report().splitlines()[1:6] == [
        "candle         10    0",
        "chair           8    0",
        "goblet          3    9",
        "lantern         6    0",
        "rope            4    0",
    ]
