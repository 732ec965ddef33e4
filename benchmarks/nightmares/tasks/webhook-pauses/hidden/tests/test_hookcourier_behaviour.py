from hookcourier import Breaker, Courier, Policy, State, board


def outage(breaker, now):
    """Fail until the breaker opens, and return how many failures that took and how long it stays open."""
    for count in range(1, 10):
        breaker.failed(now)
        if breaker.state is State.OPEN:
            return count, breaker.until - now
    raise AssertionError("never opened")


def recover(breaker, now, trials=2):
    for _ in range(trials):
        assert breaker.allows(now)
        breaker.succeeded()


def test_second_outage_is_like_the_first_one():
    breaker = Breaker(Policy())
    assert outage(breaker, 0) == (3, 60.0)
    recover(breaker, 60)
    assert breaker.state is State.CLOSED
    assert outage(breaker, 5000) == (3, 60.0)
    recover(breaker, 5060)
    assert outage(breaker, 9000) == (3, 60.0)


def test_pauses_grow_within_one_outage_only():
    breaker = Breaker(Policy(longest_cool_down=200))
    assert outage(breaker, 0) == (3, 60.0)
    assert breaker.allows(60)
    assert outage(breaker, 60) == (1, 120.0)
    assert breaker.allows(180)
    assert outage(breaker, 180) == (1, 200)
    recover(breaker, 380)
    assert outage(breaker, 400) == (3, 60.0)


def test_successes_of_an_earlier_trial_do_not_count():
    breaker = Breaker(Policy(trials=3))
    outage(breaker, 0)
    recover(breaker, 60, trials=2)
    breaker.failed(61)
    assert breaker.until == 181
    recover(breaker, 181, trials=2)
    assert breaker.state is State.HALF_OPEN
    breaker.succeeded()
    assert breaker.state is State.CLOSED


def test_second_recovery_needs_all_trials_again():
    breaker = Breaker(Policy())
    outage(breaker, 0)
    recover(breaker, 60)
    outage(breaker, 100)
    recover(breaker, 160, trials=1)
    assert breaker.state is State.HALF_OPEN


def test_failures_before_a_trial_are_forgotten_with_it():
    breaker = Breaker(Policy(threshold=2, trials=1))
    outage(breaker, 0)
    recover(breaker, 60, trials=1)
    breaker.failed(70)
    assert breaker.state is State.CLOSED
    breaker.succeeded()
    breaker.failed(71)
    assert (breaker.state, breaker.until) == (State.CLOSED, None)


def test_courier_through_two_outages():
    answers = [500] * 3 + [200] * 3 + [503] * 3
    courier = Courier(lambda url, event: answers.pop(0) if answers else 200)
    for _ in range(3):
        courier.post("https://a.example/x", {}, now=0)
    assert [courier.round(now) for now in (0, 60, 61)] == [3, 1, 2]
    for _ in range(4):
        courier.post("https://a.example/x", {}, now=2000)
    assert courier.round(2000) == 3
    assert board(courier, 2000).splitlines()[1] == "a.example: open for 60 s"
    assert [courier.round(now) for now in (2059, 2060, 2061)] == [0, 1, 3]
    assert board(courier, 2061) == "0 waiting, 7 delivered, 0 dead\na.example: closed"


def test_breaker_opens_at_the_threshold_and_not_before():
    breaker = Breaker(Policy(threshold=4))
    assert outage(breaker, 7) == (4, 60.0)
    assert not breaker.allows(66.9)
    assert breaker.allows(67)
