from datetime import date

import pytest

from roomlattice import BadTime, Conflict, Desk, Room, Span, UnknownRoom, agenda

DAY = date(2024, 5, 6)


@pytest.fixture
def desk():
    return Desk([Room("Oak", seats=8), Room("Elm", seats=4)])


def test_times():
    assert Span.between("07:00", "08:15") == Span(0, 5)
    assert str(Span(8, 3)) == "09:00-09:45"
    for begin, end in [("09:10", "10:00"), ("06:45", "08:00"), ("10:00", "10:00"), ("x", "10:00")]:
        with pytest.raises(BadTime):
            Span.between(begin, end)


def test_bookings_side_by_side(desk):
    desk.book("Oak", DAY, "10:00", "10:15", "bob")
    desk.book("Oak", DAY, "09:00", "10:00", "ada")
    desk.book("Elm", DAY, "09:00", "10:00", "cyd")
    assert agenda(desk, "Oak", DAY).splitlines() == [
        "Oak, 06.05.2024",
        "  09:00-10:00 ada",
        "  10:00-10:15 bob",
    ]


def test_the_same_time_cannot_be_booked_twice(desk):
    desk.book("Oak", DAY, "09:00", "10:00", "ada")
    with pytest.raises(Conflict, match="Oak is not free on 2024-05-06, 09:00-10:00"):
        desk.book("Oak", DAY, "09:00", "10:00", "bob")


def test_overlap_at_the_end_is_refused(desk):
    desk.book("Oak", DAY, "09:00", "10:00", "ada")
    with pytest.raises(Conflict):
        desk.book("Oak", DAY, "09:45", "10:00", "bob")


def test_overlap_at_the_beginning_is_refused(desk):
    desk.book("Oak", DAY, "09:00", "10:00", "ada")
    with pytest.raises(Conflict):
        desk.book("Oak", DAY, "08:30", "09:30", "bob")


def test_cancelled_booking_frees_the_room(desk):
    booking = desk.book("Oak", DAY, "09:00", "10:00", "ada")
    desk.cancel(booking.number)
    assert desk.free("Oak", DAY) == [("07:00", "21:00")]
    desk.book("Oak", DAY, "09:00", "10:00", "bob")


def test_suggestion_for_an_empty_day(desk):
    assert desk.suggest(DAY, minutes=60) == ("Elm", "07:00")
    assert desk.suggest(DAY, minutes=60, seats=5) == ("Oak", "07:00")
    assert desk.suggest(DAY, minutes=60, seats=50) is None


def test_unknown_room(desk):
    with pytest.raises(UnknownRoom):
        desk.book("Ash", DAY, "09:00", "10:00", "ada")


def test_free_times_around_short_bookings(desk):
    desk.book("Oak", DAY, "07:00", "07:15", "ada")
    desk.book("Oak", DAY, "20:45", "21:00", "bob")
    assert desk.free("Oak", DAY) == [("07:15", "20:45")]
