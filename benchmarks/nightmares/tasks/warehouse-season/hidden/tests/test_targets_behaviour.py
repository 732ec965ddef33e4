from fractions import Fraction

from pallet_yard import Catalog, Product, Season, Site, ZoneTemplate, order_sheet, plan

CATALOG = Catalog([Product("ice", "Ice cream"), Product("milk", "Milk"), Product("rice", "Rice")])


def cold():
    return ZoneTemplate("cold", {"ice": 10, "milk": 4}, blocked=frozenset({"rice"}))


def test_season_scales_each_zone_once():
    site, template = Site("Leeds", CATALOG), cold()
    site.open_zone("C1", template)
    site.open_zone("C2", template)
    site.start_season(Season("summer", {"ice": Fraction(3, 2), "milk": Fraction(1, 2)}))
    assert site["C1"].targets == {"ice": 15, "milk": 2}
    assert site["C2"].targets == {"ice": 15, "milk": 2}


def test_target_set_by_hand_concerns_one_zone():
    site, template = Site("Leeds", CATALOG), cold()
    first, second = site.open_zone("C1", template), site.open_zone("C2", template)
    first.set_target("milk", 9)
    assert first.shortfall("milk") == 9
    assert second.shortfall("milk") == 4


def test_dropped_target_concerns_one_zone():
    site, template = Site("Leeds", CATALOG), cold()
    first, second = site.open_zone("C1", template), site.open_zone("C2", template)
    second.drop_target("ice")
    assert [(order.sku, order.split) for order in plan(site)] == [
        ("ice", (("C1", 10),)),
        ("milk", (("C1", 4), ("C2", 4))),
    ]
    assert first.targets == {"ice": 10, "milk": 4}


def test_zone_opened_during_a_season_starts_from_the_normal_targets():
    site, template = Site("Leeds", CATALOG), cold()
    site.open_zone("C1", template)
    site.start_season(Season("summer", {"ice": Fraction(2)}))
    late = site.open_zone("C2", template)
    assert late.shortfall("ice") == 10
    assert template.targets == {"ice": 10, "milk": 4}


def test_sites_do_not_influence_each_other():
    template = cold()
    leeds, york = Site("Leeds", CATALOG), Site("York", CATALOG)
    leeds.open_zone("C1", template)
    york.open_zone("C1", template)
    leeds.start_season(Season("summer", {"ice": Fraction(2)}))
    assert order_sheet(york) == "Orders for York\n  10  Ice cream: C1 10\n   4  Milk: C1 4"
    assert order_sheet(leeds) == "Orders for Leeds (summer)\n  20  Ice cream: C1 20\n   4  Milk: C1 4"


def test_targets_written_for_one_zone_only():
    site = Site("Leeds", CATALOG)
    zone = site.open_zone("C1", cold())
    zone.set_target("ice", 3)
    zone.receive({"ice": 1})
    assert zone.shortfall("ice") == 2
