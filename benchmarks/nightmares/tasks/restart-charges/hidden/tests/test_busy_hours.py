import asyncio

from toll_meter import Account, Event, Intake, Meter, PriceList, PriceService, statement

PRICES = {("basic", "map"): 200, ("basic", "route"): 500, ("pro", "map"): 100, ("pro", "route"): 300}


def charge(events, *accounts, width=50, turns=3):
    service = PriceService(PRICES, turns)
    meter = Meter(PriceList(service), accounts)
    outcome = asyncio.run(Intake(meter, width).run(events))
    return meter, outcome, service


def test_kinds_and_units():
    events = [Event("ann", "map", 1), Event("ann", "route", 2), Event("ann", "map", 3), Event("ann", "route", 4)]
    meter, outcome, _ = charge(events)
    assert outcome.accepted == 4
    assert meter.account("ann").spent == {"map": 800, "route": 3000}


def test_narrow_intake():
    meter, outcome, service = charge([Event("ann", "map", 5)] * 7, width=2)
    assert meter.account("ann").total == 7000
    assert (outcome.accepted, service.most_active) == (7, 2)


def test_slow_and_fast_answers():
    for turns in (0, 1, 9):
        meter, _, _ = charge([Event("ann", "route")] * 6, turns=turns)
        assert meter.account("ann").total == 3000


def test_limit_holds_for_events_that_overlap():
    meter, outcome, _ = charge([Event("ann", "map", 2)] * 5, Account("ann", limit=1000))
    assert meter.account("ann").total == 800
    assert meter.account("ann").events == 2
    assert outcome.rejected == ["ann: 800 + 400 > 1000", "ann: 800 + 400 > 1000", "ann: 800 + 400 > 1000"]


def test_lookups_of_one_customer_overlap():
    meter, _, service = charge([Event("ann", "map")] * 8)
    assert service.most_active == 8
    assert meter.account("ann").total == 1600


def test_price_that_changes_in_between():
    service = PriceService(PRICES)
    prices = PriceList(service)
    meter = Meter(prices, [Account("ann", "pro")])

    async def scenario():
        await Intake(meter).run([Event("ann", "map")] * 3)
        service.change("pro", "map", 1000)
        prices.forget()
        await Intake(meter).run([Event("ann", "map")] * 3)

    asyncio.run(scenario())
    assert meter.account("ann").spent == {"map": 3300}


def test_bill_of_two_customers():
    events = [Event("ann", "map", 10_000), Event("bob", "map", 10_000)] * 3 + [Event("bob", "moon")]
    meter, outcome, _ = charge(events, Account("bob", "pro"))
    assert statement(meter) == (
        "ann (basic): 3 events, 6.00 ct\n  map: 6.00 ct\nbob (pro): 3 events, 3.00 ct\n  map: 3.00 ct"
    )
    assert outcome.rejected == ["no price for moon in plan pro"]


def test_rejected_events_cost_nothing():
    meter, outcome, _ = charge([Event("ann", "moon"), Event("ann", "sun")])
    assert len(outcome.rejected) == 2
    assert (meter.account("ann").events, meter.account("ann").spent) == (0, {})
