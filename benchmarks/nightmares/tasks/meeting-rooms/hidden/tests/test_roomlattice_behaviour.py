from datetime import date

import pytest

from roomlattice import Conflict, Desk, Room, Span, agenda, utilisation

DAY = date(2024, 5, 6)
NEXT = date(2024, 5, 7)


@pytest.fixture
def desk():
    return Desk([Room("Oak", seats=8), Room("Elm", seats=4)])


def test_bits_of_spans():
    spans = [Span(0, 1), Span(0, 2), Span(3, 1), Span(2, 3), Span(0, 56)]
    assert [span.mask for span in spans] == [1, 3, 8, 28, 72057594037927935]


def test_every_overlap_is_refused(desk):
    desk.book("Oak", DAY, "09:00", "10:30", "ada")
    for begin in ("08:30", "09:15", "09:30", "10:00"):
        for end in ("10:15", "10:45", "12:00"):
            with pytest.raises(Conflict):
                desk.book("Oak", DAY, begin, end, "bob")
    assert [booking.who for booking in desk.bookings("Oak", DAY)] == ["ada"]


def test_booking_inside_of_and_around_another(desk):
    desk.book("Oak", DAY, "09:00", "12:00", "ada")
    for begin, end in [("10:00", "10:15"), ("09:00", "09:15"), ("08:00", "13:00")]:
        with pytest.raises(Conflict):
            desk.book("Oak", DAY, begin, end, "bob")


def test_free_times_between_bookings(desk):
    desk.book("Oak", DAY, "09:00", "10:30", "ada")
    desk.book("Oak", DAY, "10:30", "11:00", "bob")
    assert desk.free("Oak", DAY) == [("07:00", "09:00"), ("11:00", "21:00")]


def test_suggestion_in_the_first_gap_that_is_long_enough(desk):
    desk.book("Elm", DAY, "07:00", "20:00", "ada")
    desk.book("Oak", DAY, "07:30", "09:00", "bob")
    desk.book("Oak", DAY, "09:30", "12:00", "cyd")
    assert desk.suggest(DAY, minutes=30) == ("Oak", "07:00")
    assert desk.suggest(DAY, minutes=40) == ("Oak", "12:00")
    assert desk.suggest(DAY, minutes=541) is None


def test_utilisation(desk):
    desk.book("Oak", DAY, "07:00", "14:00", "ada")
    desk.book("Elm", NEXT, "07:00", "21:00", "bob")
    assert utilisation(desk, [DAY]) == {"Oak": 0.5, "Elm": 0.0}
    assert utilisation(desk, [DAY, NEXT]) == {"Oak": 0.25, "Elm": 0.5}


def test_move_that_overlaps_itself(desk):
    number = desk.book("Oak", DAY, "09:00", "10:00", "ada").number
    desk.move(number, "09:30", "11:00")
    assert desk.free("Oak", DAY) == [("07:00", "09:30"), ("11:00", "21:00")]


def test_refused_move_changes_nothing(desk):
    desk.book("Oak", DAY, "12:00", "13:00", "bob")
    number = desk.book("Oak", DAY, "09:00", "10:00", "ada").number
    with pytest.raises(Conflict):
        desk.move(number, "11:00", "12:30")
    assert agenda(desk, "Oak", DAY).splitlines()[1:] == ["  09:00-10:00 ada", "  12:00-13:00 bob"]
    assert desk.free("Oak", DAY)[1] == ("10:00", "12:00")
