import asyncio

import pytest

from toll_meter import Account, Event, Intake, Meter, PriceList, PriceService, UnknownPrice, statement

PRICES = {("basic", "map"): 200, ("basic", "route"): 500, ("pro", "map"): 100}


@pytest.fixture
def service():
    return PriceService(PRICES)


def test_one_event(service):
    meter = Meter(PriceList(service))
    asyncio.run(meter.record(Event("ann", "map", 3)))
    assert meter.account("ann").spent == {"map": 600}


def test_one_event_after_the_other(service):
    meter = Meter(PriceList(service))

    async def scenario():
        for units in (1, 2, 3):
            await meter.record(Event("ann", "map", units))

    asyncio.run(scenario())
    assert meter.account("ann").total == 1200
    assert service.calls == 1


def test_customers_side_by_side(service):
    meter = Meter(PriceList(service), [Account("bob", "pro")])
    outcome = asyncio.run(Intake(meter).run([Event("ann", "map", 10), Event("bob", "map", 10)]))
    assert outcome.accepted == 2
    assert [account.total for account in meter] == [2000, 1000]


def test_many_events_of_a_customer(service):
    meter = Meter(PriceList(service))
    outcome = asyncio.run(Intake(meter).run([Event("ann", "map")] * 40))
    assert outcome.accepted == 40
    assert meter.account("ann").events == 40
    assert meter.account("ann").total == 8000


def test_events_overlap(service):
    meter = Meter(PriceList(service))
    asyncio.run(Intake(meter, width=4).run([Event("ann", "map"), Event("ann", "route")] * 3))
    assert service.most_active == 4


def test_unknown_kind_is_rejected(service):
    meter = Meter(PriceList(service))
    outcome = asyncio.run(Intake(meter).run([Event("ann", "moon"), Event("ann", "map")]))
    assert outcome.rejected == ["no price for moon in plan basic"]
    assert (meter.account("ann").events, meter.account("ann").total) == (1, 200)
    with pytest.raises(UnknownPrice):
        asyncio.run(meter.record(Event("ann", "moon")))


def test_limit(service):
    meter = Meter(PriceList(service), [Account("ann", limit=1000)])

    async def scenario():
        await meter.record(Event("ann", "map", 4))
        return await Intake(meter).run([Event("ann", "map", 2), Event("ann", "map", 1)])

    assert asyncio.run(scenario()).rejected == ["ann: 800 + 400 > 1000"]
    assert meter.account("ann").total == 1000


def test_statement_and_log(service):
    meter = Meter(PriceList(service))
    asyncio.run(meter.record(Event.parse("ann route 30000")))
    assert statement(meter) == "ann (basic): 1 events, 15.00 ct\n  route: 15.00 ct"
    with pytest.raises(ValueError, match="at least one unit"):
        Event.parse("ann route 0")
