import json

import pytest

from claimhouse import Broker, Endpoint, ManualClock


class Wire:
    def __init__(self):
        self.clock = ManualClock()
        self.broker = Broker(self.clock)
        self.endpoint = Endpoint(self.broker)

    def ask(self, op, **fields):
        return json.loads(self.endpoint.handle(json.dumps({"op": op, **fields})))


@pytest.fixture
def wire():
    wire = Wire()
    wire.ask("put", queue="render", body="frame")
    wire.ask("claim", queue="render", lease=4000)
    return wire


def test_renewal_says_what_is_left(wire):
    wire.clock.advance(3)
    assert wire.ask("renew", job=1, token="1-1", extend=4500) == {"ok": True, "remaining": 4500}
    wire.clock.advance(1.5)
    status = {"ok": True, "state": "leased", "remaining": 3000}
    assert wire.ask("status", job=1) == status


def test_renewed_lease_ends_to_the_millisecond(wire):
    wire.ask("renew", job=1, token="1-1", extend=7250)
    wire.clock.advance(7.125)
    assert wire.ask("status", job=1) == {"ok": True, "state": "leased", "remaining": 125}
    wire.clock.advance(0.125)
    assert wire.ask("status", job=1) == {"ok": True, "state": "waiting", "remaining": 0}


def test_a_shorter_renewal_does_not_shorten_the_lease(wire):
    assert wire.ask("renew", job=1, token="1-1", extend=1000)["remaining"] == 4000


def test_renewal_without_a_duration(wire):
    assert wire.ask("renew", job=1, token="1-1") == {"ok": True, "remaining": 30000}


def test_many_renewals_then_silence(wire):
    for _ in range(5):
        wire.clock.advance(3)
        assert wire.ask("renew", job=1, token="1-1", extend=4000)["remaining"] == 4000
    wire.clock.advance(4)
    assert wire.ask("renew", job=1, token="1-1", extend=4000)["ok"] is False
    assert wire.ask("claim", queue="render")["token"] == "1-2"


def test_a_renewal_that_makes_no_sense_is_refused(wire):
    for extend in (-1, "4000", True, None):
        reply = wire.ask("renew", job=1, token="1-1", extend=extend)
        assert reply["ok"] is False
        assert reply["error"] == "'extend' must be a duration in milliseconds"


def test_renewal_from_python(wire):
    assert wire.broker.renew(1, "1-1", extend=7.5) == 7.5
    assert wire.ask("status", job=1)["remaining"] == 7500
