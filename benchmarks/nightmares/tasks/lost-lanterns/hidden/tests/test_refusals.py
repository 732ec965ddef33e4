from prop_store import Desk, Kit, Shelves
from prop_store.journal import Journal

KITS = [
    Kit("garden", {"bench": 2, "rose": 12}, instead="park"),
    Kit("park", {"bench": 3}, instead="lawn"),
    Kit("lawn", {"blanket": 2}),
    Kit("feast", {"plate": 8, "bench": 2}),
]


def make_shelves():
    return Shelves({"bench": 5, "rose": 30, "blanket": 4, "plate": 20, "sword": 3})


def test_a_kit_before_what_is_short_goes_back():
    shelves = make_shelves()
    assert not Desk(shelves, KITS).book("Tosca", ["garden", ("sword", 4)])
    assert shelves.left("rose") == 30


def test_two_kits_before_what_is_short_go_back():
    shelves = make_shelves()
    assert not Desk(shelves, KITS).book("Tosca", ["lawn", "feast", ("sword", 4)])
    assert shelves.items() == [("bench", 5), ("blanket", 4), ("plate", 20), ("rose", 30), ("sword", 3)]


def test_what_came_instead_goes_back():
    shelves = make_shelves()
    desk = Desk(shelves, KITS)
    assert desk.book("Aida", [("rose", 20)])
    assert not desk.book("Tosca", ["garden", ("sword", 4)])
    assert shelves.left("bench") == 5


def test_a_kit_before_a_kit_that_is_short_goes_back():
    shelves = make_shelves()
    desk = Desk(shelves, KITS)
    assert desk.book("Aida", [("plate", 15)])
    assert not desk.book("Tosca", ["lawn", "feast"])
    assert shelves.left("blanket") == 4


def test_refused_again_and_again():
    shelves = make_shelves()
    desk = Desk(shelves, KITS)
    for _ in range(7):
        assert not desk.book("Tosca", ["lawn", ("sword", 4)])
    assert shelves.left("blanket") == 4
    assert desk.report().count("refused: Tosca (sword: 4 wanted, 3 left)") == 7


def test_who_cannot_rebook_keeps_what_it_has():
    shelves = make_shelves()
    desk = Desk(shelves, KITS)
    assert desk.book("Tosca", ["garden", ("sword", 1)])
    assert not desk.rebook("Tosca", ["feast", ("sword", 4)])
    assert desk.slips("Tosca") == ["garden (2 x bench, 12 x rose)", "sword (1 x sword)"]
    assert shelves.items() == [("bench", 3), ("blanket", 4), ("plate", 20), ("rose", 18), ("sword", 2)]


def test_an_attempt_in_an_attempt_in_an_attempt():
    undone = []
    journal = Journal()
    try:
        with journal.attempt():
            journal.note(undone.append, 1)
            with journal.attempt():
                journal.note(undone.append, 2)
                with journal.attempt():
                    journal.note(undone.append, 3)
            raise RuntimeError("after all")
    except RuntimeError:
        pass
    assert undone == [3, 2, 1]


def test_what_is_booked_stays_booked():
    shelves = make_shelves()
    desk = Desk(shelves, KITS)
    assert desk.book("Aida", ["garden"])
    assert not desk.book("Tosca", [("sword", 4)])
    assert not desk.book("Tosca", ["lawn", ("sword", 9)])
    assert shelves.left("rose") == 18


def test_half_of_a_kit_goes_back_before_another_comes():
    shelves = make_shelves()
    desk = Desk(shelves, KITS)
    assert desk.book("Aida", [("rose", 20), ("bench", 3)])
    assert desk.book("Tosca", ["garden"])
    assert desk.slips("Tosca") == ["lawn (2 x blanket)"]
    assert shelves.left("bench") == 2
