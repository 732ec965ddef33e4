import pytest

from hookcourier import Courier, Fate, Policy, board

URL = "https://shop.example/hooks"


class Host:
    """Answers with the statuses that it is told, and with 200 after that."""

    def __init__(self, *statuses):
        self.statuses = list(statuses)
        self.calls = []

    def __call__(self, url, event):
        self.calls.append(event["id"])
        status = self.statuses.pop(0) if self.statuses else 200
        if status is None:
            raise ConnectionRefusedError("refused")
        return status


def start(host, count=1, **policy):
    courier = Courier(host, Policy(**policy))
    for number in range(1, count + 1):
        courier.post(URL, {"id": number}, now=0)
    return courier


def test_delivery():
    courier = start(Host(), count=2)
    assert courier.round(now=0) == 2
    assert board(courier, 0) == "0 waiting, 2 delivered, 0 dead\nshop.example: closed"


def test_failed_delivery_is_tried_later_and_later():
    host = Host(None, 503)
    courier = start(host)
    for now in (0, 9, 10, 29, 30):
        courier.round(now)
    assert host.calls == [1, 1, 1]
    assert courier.queue[1].fate is Fate.DELIVERED


def test_unwanted_delivery_is_dead_at_once():
    courier = start(Host(404), count=2)
    courier.round(0)
    assert [each.fate for each in courier.queue] == [Fate.DEAD, Fate.DELIVERED]
    assert courier.queue[1].reason == "status 404"


def test_delivery_that_never_works_dies():
    courier = start(Host(*[None] * 9), max_attempts=2)
    courier.round(0)
    courier.round(10)
    assert (courier.queue[1].fate, courier.queue[1].reason) == (Fate.DEAD, "refused")


def test_three_failures_open_the_breaker():
    host = Host(500, 500, 500)
    courier = start(host, count=5)
    assert courier.round(0) == 3
    assert board(courier, 20).splitlines()[1] == "shop.example: open for 40 s"
    assert courier.round(59) == 0
    assert courier.round(60) == 1
    assert board(courier, 60).splitlines()[1] == "shop.example: half open"
    assert courier.round(61) == 4
    assert board(courier, 61) == "0 waiting, 5 delivered, 0 dead\nshop.example: closed"


def test_a_success_in_between_keeps_the_breaker_closed():
    courier = start(Host(500, 500, 200, 500, 500), count=5)
    assert courier.round(0) == 5
    assert board(courier, 0).splitlines()[1] == "shop.example: closed"


def test_hosts_do_not_influence_each_other():
    def transport(url, event):
        return 500 if "slow" in url else 200

    courier = Courier(transport)
    for number in range(4):
        courier.post("https://slow.example/", {}, now=0)
        courier.post("https://quick.example/", {}, now=0)
    assert courier.round(0) == 7
    assert board(courier, 0).splitlines()[1:] == [
        "quick.example: closed",
        "slow.example: open for 60 s",
    ]


def test_one_hiccup_after_an_outage_does_not_stop_everything():
    host = Host(500, 500, 500)
    courier = start(host, count=2)
    assert [courier.round(now) for now in (0, 10, 70, 71)] == [2, 1, 1, 1]
    assert board(courier, 71) == "0 waiting, 2 delivered, 0 dead\nshop.example: closed"
    host.statuses = [502]
    for number in (3, 4):
        courier.post(URL, {"id": number}, now=1000)
    assert courier.round(1000) == 2


def test_policy_is_checked():
    with pytest.raises(ValueError, match="trials must be at least 1"):
        Policy(trials=0)
