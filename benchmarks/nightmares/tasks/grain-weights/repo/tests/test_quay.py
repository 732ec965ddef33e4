import pytest

from quay_crew import Foreman, Kernel, Shed, deliver, load, manifest, move


@pytest.fixture
def kernel():
    return Kernel()


def test_jobs_at_one_shed_take_turns(kernel):
    shed, foreman = Shed(kernel, "North", {"rye": 100}), Foreman(kernel)
    for number in range(5):
        foreman.order(f"in {number}", deliver(shed, "rye", 10))
    assert set(foreman.shift().values()) == {"done"}
    assert shed.tons("rye") == 150


def test_move(kernel):
    north, south, foreman = Shed(kernel, "North", {"rye": 100}), Shed(kernel, "South"), Foreman(kernel)
    foreman.order("there", move(north, south, "rye", 30))
    foreman.order("and back", move(south, north, "rye", 1))
    assert foreman.shift() == {"there": "done", "and back": "failed"}
    assert manifest([north, south]) == "North: 70 t rye\nSouth: 30 t rye"


def test_job_that_fails_lets_the_next_one_in(kernel):
    shed, foreman = Shed(kernel, "North", {"rye": 5}), Foreman(kernel)
    foreman.order("too much", load(shed, "rye", 6))
    foreman.order("enough", load(shed, "rye", 4))
    assert foreman.shift() == {"too much": "failed", "enough": "done"}
    assert shed.tons("rye") == 1


def test_job_called_off_while_it_weighs(kernel):
    shed, foreman = Shed(kernel, "North", {"rye": 5}, weighing=4), Foreman(kernel)
    foreman.order("slow", load(shed, "rye", 3), within=3)
    foreman.order("next", load(shed, "rye", 4))
    assert foreman.shift() == {"slow": "called off", "next": "done"}
    assert shed.tons("rye") == 1


def test_job_called_off_in_the_queue(kernel):
    shed, foreman = Shed(kernel, "North", {"rye": 5}, weighing=4), Foreman(kernel)
    foreman.order("first", deliver(shed, "rye", 3))
    foreman.order("second", deliver(shed, "rye", 4), within=3)
    assert foreman.shift() == {"first": "done", "second": "called off"}
    assert shed.tons("rye") == 8
    assert not shed.gate.closed


def test_the_books_after_a_busy_day(kernel):
    shed, foreman = Shed(kernel, "North", {"rye": 100}, weighing=4), Foreman(kernel)
    foreman.order("a", deliver(shed, "rye", 10))
    foreman.order("b", deliver(shed, "rye", 20), within=3)
    foreman.order("c", deliver(shed, "rye", 30))
    assert foreman.shift() == {"a": "done", "b": "called off", "c": "done"}
    assert shed.tons("rye") == 140
