from quay_crew import Foreman, Kernel, Shed, deliver, load, manifest, move


def quay(weighing=4, **stock):
    kernel = Kernel()
    return kernel, Foreman(kernel), Shed(kernel, "North", stock, weighing)


def test_result_of_the_last_job():
    _, foreman, shed = quay(rye=50)
    foreman.order("a", load(shed, "rye", 7))
    foreman.order("b", load(shed, "rye", 20), within=2)
    foreman.order("c", load(shed, "rye", 9))
    foreman.shift()
    assert foreman.jobs["c"].result == 34


def test_more_is_not_loaded_than_there_is():
    _, foreman, shed = quay(oats=10)
    foreman.order("a", load(shed, "oats", 8))
    foreman.order("b", load(shed, "oats", 1), within=3)
    foreman.order("c", load(shed, "oats", 8))
    assert foreman.shift()["c"] == "failed"
    assert shed.tons("oats") == 2


def test_late_arrival_waits_for_its_turn():
    kernel, foreman, shed = quay(weighing=6, rye=100)
    foreman.order("a", deliver(shed, "rye", 11))
    foreman.order("b", deliver(shed, "rye", 20), within=2)
    kernel.run(4)
    foreman.order("c", deliver(shed, "rye", 31))
    foreman.shift()
    assert shed.tons("rye") == 142


def test_move_among_others():
    kernel, foreman, north = quay(rye=60)
    south = Shed(kernel, "South", {"rye": 5})
    foreman.order("a", load(north, "rye", 10))
    foreman.order("b", move(north, south, "rye", 20), within=3)
    foreman.order("c", move(north, south, "rye", 30))
    foreman.shift()
    assert manifest([north, south]) == "North: 20 t rye\nSouth: 35 t rye"


def test_gate_stays_closed_while_somebody_weighs():
    kernel, foreman, shed = quay(weighing=9, rye=1)
    foreman.order("a", deliver(shed, "rye", 1))
    foreman.order("b", deliver(shed, "rye", 1), within=2)
    kernel.run(5)
    assert shed.gate.closed is True


def test_two_called_off_in_a_row():
    _, foreman, shed = quay(weighing=5, rye=100)
    foreman.order("a", deliver(shed, "rye", 1))
    foreman.order("b", deliver(shed, "rye", 2), within=2)
    foreman.order("c", deliver(shed, "rye", 4), within=3)
    foreman.order("d", deliver(shed, "rye", 8))
    foreman.order("e", deliver(shed, "rye", 16))
    foreman.shift()
    assert shed.tons("rye") == 125


def test_nobody_called_off():
    _, foreman, shed = quay(rye=100)
    foreman.order("a", deliver(shed, "rye", 1), within=50)
    foreman.order("b", deliver(shed, "rye", 2), within=50)
    foreman.shift()
    assert shed.tons("rye") == 103


def test_called_off_as_the_gate_opens():
    for within in range(1, 14):
        _, foreman, shed = quay(weighing=4, rye=100)
        foreman.order("a", deliver(shed, "rye", 10))
        foreman.order("b", deliver(shed, "rye", 20), within=within)
        foreman.order("c", deliver(shed, "rye", 30))
        ended = foreman.shift()
        assert (ended["a"], ended["c"]) == ("done", "done")
        assert shed.tons("rye") == (160 if ended["b"] == "done" else 140)


def test_all_called_off_at_once():
    kernel, foreman, shed = quay(weighing=4, rye=100)
    for name in "abc":
        foreman.order(name, deliver(shed, "rye", 10), within=3)
    foreman.order("d", deliver(shed, "rye", 7))
    assert foreman.shift() == {"a": "called off", "b": "called off", "c": "called off", "d": "done"}
    assert shed.tons("rye") == 107
