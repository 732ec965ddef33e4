import json

import pytest

from claimhouse import Broker, Endpoint, ManualClock, Refused


class Wire:
    """A broker, its clock, and a way to talk to it."""

    def __init__(self):
        self.clock = ManualClock(1000.0)
        self.broker = Broker(self.clock)
        self.endpoint = Endpoint(self.broker)

    def ask(self, op, **fields):
        return json.loads(self.endpoint.handle(json.dumps({"op": op, **fields})))


@pytest.fixture
def wire():
    return Wire()


def test_put_claim_finish(wire):
    assert wire.ask("put", queue="mail", body={"to": "ada"}) == {"ok": True, "job": 1}
    claimed = wire.ask("claim", queue="mail")
    assert claimed == {"ok": True, "job": 1, "body": {"to": "ada"}, "token": "1-1", "attempt": 1}
    assert wire.ask("finish", job=1, token="1-1") == {"ok": True}
    assert wire.ask("status", job=1) == {"ok": True, "state": "done", "remaining": 0}


def test_delayed_job(wire):
    wire.ask("put", queue="mail", body=1, delay=2500)
    assert wire.ask("claim", queue="mail") == {"ok": True, "retry_after": 2500, "job": None}
    wire.clock.advance(2.5)
    assert wire.ask("claim", queue="mail")["job"] == 1


def test_job_of_a_dead_worker_goes_to_the_next(wire):
    wire.ask("put", queue="mail", body=1)
    assert wire.ask("claim", queue="mail", lease=10000)["token"] == "1-1"
    wire.clock.advance(9.999)
    assert wire.ask("claim", queue="mail")["job"] is None
    wire.clock.advance(0.001)
    assert wire.ask("claim", queue="mail")["token"] == "1-2"
    assert wire.ask("finish", job=1, token="1-1")["ok"] is False


def test_renewed_job_stays_with_its_worker(wire):
    wire.ask("put", queue="mail", body=1)
    token = wire.ask("claim", queue="mail", lease=10000)["token"]
    wire.clock.advance(8)
    assert wire.ask("renew", job=1, token=token, extend=10000)["ok"]
    wire.clock.advance(8)
    assert wire.ask("claim", queue="mail")["job"] is None
    assert wire.ask("finish", job=1, token=token)["ok"]


def test_job_of_a_worker_that_renewed_once_and_died_goes_to_the_next(wire):
    wire.ask("put", queue="mail", body=1)
    token = wire.ask("claim", queue="mail", lease=10000)["token"]
    wire.ask("renew", job=1, token=token, extend=10000)
    wire.clock.advance(60)
    assert wire.ask("claim", queue="mail")["job"] == 1


def test_release_with_a_delay(wire):
    wire.ask("put", queue="mail", body=1)
    wire.ask("claim", queue="mail")
    assert wire.ask("release", job=1, token="1-1", delay=3000) == {"ok": True}
    assert wire.ask("claim", queue="mail")["retry_after"] == 3000


def test_bad_requests(wire):
    assert wire.endpoint.handle("{").startswith('{"ok": false, "error": "not JSON')
    assert wire.ask("claim")["error"] == "claim: field 'queue' is missing"
    assert wire.ask("put", queue="a", body=1, when=3)["error"] == "put: unknown field 'when'"
    assert wire.ask("claim", queue="a", lease="soon")["ok"] is False


def test_python_interface_counts_in_seconds(wire):
    number = wire.broker.put("mail", "x", delay=1.5)
    wire.clock.advance(1.5)
    job, lease = wire.broker.claim("mail", lease=20)
    assert (job.id, lease.expires) == (number, 1021.5)
    assert wire.broker.renew(number, lease.token, extend=60) == 60
    with pytest.raises(Refused, match="job 1 is not leased under 'nonsense'"):
        wire.broker.finish(number, "nonsense")
