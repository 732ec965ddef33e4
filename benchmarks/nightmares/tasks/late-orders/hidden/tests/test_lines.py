from supper_line import Evening, Kitchen
from supper_line.places import Place
from supper_line.requests import Leave, Pause, Take
from supper_line.turns import Turns


def served(places, *orders):
    evening = Evening(Kitchen(places))
    for order in orders:
        evening.order(*order)
    evening.play()
    return {ticket.table: ticket.served for ticket in evening.tickets}


def test_one_that_comes_in_the_same_minute_is_next_but_one():
    assert served({"grill": 1}, (1, "steak", 0), (2, "steak", 8), (3, "toast", 9)) == {1: 10, 2: 20, 3: 12}


def test_a_roast_waits_for_those_before_it():
    orders = (1, "steak", 0), (2, "roast", 0), (3, "toast", 4), (4, "toast", 5)
    assert served({"grill": 1, "stove": 1}, *orders) == {1: 10, 2: 19, 3: 12, 4: 14}


def test_nobody_waits_for_ever():
    orders = [(1, "steak", 0), (2, "toast", 3)]
    orders += [(table, "skewer", 6 * table - 12) for table in range(3, 9)]
    assert served({"grill": 1}, *orders)[2] == 12


def test_room_for_two_and_three_in_line():
    orders = (1, "steak", 0), (2, "steak", 0), (3, "toast", 3), (4, "toast", 4), (5, "skewer", 6), (6, "toast", 6)
    assert served({"grill": 2}, *orders) == {1: 10, 2: 10, 3: 12, 4: 12, 5: 19, 6: 14}


def test_the_longest_wait():
    evening = Evening(Kitchen({"grill": 1}))
    for table, dish, at in [(1, "steak", 0), (2, "toast", 4), (3, "skewer", 6), (4, "skewer", 7)]:
        evening.order(table, dish, at)
    evening.play()
    assert str(evening.longest()) == "table 4: skewer at 25 (grill 18), waited 7"


def job(turns, place, minutes, before, met):
    yield Pause(before)
    yield Take(place)
    met.append((turns.now, minutes))
    yield Pause(minutes)
    yield Leave(place)


def test_jobs_in_the_order_of_asking():
    turns, place, met = Turns(), Place("bench", 1), []
    for start, before, minutes in [(0, 0, 7), (1, 1, 11), (5, 2, 13), (3, 3, 17)]:
        turns.set(job(turns, place, minutes, before, met), start)
    turns.play()
    assert met == [(0, 7), (7, 11), (18, 17), (35, 13)]


def test_room_that_nobody_waits_for_is_free_again():
    turns, place, met = Turns(), Place("bench", 2), []
    for start in (0, 3, 20):
        turns.set(job(turns, place, 5, 0, met), start)
    turns.play()
    assert met == [(0, 5), (3, 5), (20, 5)]


def test_whoever_asks_first_is_first():
    assert served({"grill": 1}, (1, "toast", 3), (2, "toast", 2), (3, "toast", 2)) == {1: 8, 2: 4, 3: 6}
