from fractions import Fraction

import pytest

from pallet_yard import Catalog, Product, Season, Site, ZoneTemplate, order_sheet, plan


@pytest.fixture
def catalog():
    return Catalog(
        [
            Product("ice", "Ice cream", chilled=True),
            Product("milk", "Milk", minimum_order=6, chilled=True),
            Product("rice", "Rice"),
        ]
    )


@pytest.fixture
def cold():
    return ZoneTemplate("cold", {"ice": 10, "milk": 4}, blocked=frozenset({"rice"}))


@pytest.fixture
def dry():
    return ZoneTemplate("dry", {"rice": 8})


def test_new_zone_orders_its_targets(catalog, dry):
    site = Site("Leeds", catalog)
    site.open_zone("D1", dry)
    assert [(order.sku, order.pallets) for order in plan(site)] == [("rice", 8)]


def test_stock_counts(catalog, dry):
    site = Site("Leeds", catalog)
    site.open_zone("D1", dry)
    site.deliver("D1", {"rice": 5})
    site["D1"].pick("rice", 1)
    assert plan(site)[0].pallets == 4
    assert site.total("rice") == 4


def test_minimum_order(catalog, cold):
    site = Site("Leeds", catalog)
    site.open_zone("C1", cold)
    milk = plan(site)[1]
    assert (milk.pallets, milk.needed) == (6, 4)


def test_season_of_a_single_zone(catalog, cold):
    site = Site("Leeds", catalog)
    site.open_zone("C1", cold)
    site.start_season(Season("summer", {"ice": Fraction(3, 4), "rice": Fraction(2)}))
    assert site["C1"].targets == {"ice": 8, "milk": 4}


def test_season_with_several_zones(catalog, cold, dry):
    site = Site("Leeds", catalog)
    for name in ("C1", "C2", "C3"):
        site.open_zone(name, cold)
    site.open_zone("D1", dry)
    site.start_season(Season("summer", {"ice": Fraction(2)}))
    ice = plan(site)[0]
    assert ice.split == (("C1", 20), ("C2", 20), ("C3", 20))


def test_blocked_product_is_refused(catalog, cold):
    site = Site("Leeds", catalog)
    zone = site.open_zone("C1", cold)
    with pytest.raises(ValueError, match="blocked"):
        zone.set_target("rice", 1)


def test_closing_moves_the_stock(catalog, dry):
    site = Site("Leeds", catalog)
    site.open_zone("D1", dry)
    site.open_zone("D2", dry)
    site.deliver("D1", {"rice": 3})
    site.close_zone("D1", move_to="D2")
    assert site["D2"].on_hand("rice") == 3


def test_order_sheet(catalog, cold):
    site = Site("Leeds", catalog)
    site.open_zone("C1", cold)
    site.deliver("C1", {"ice": 10})
    assert order_sheet(site) == "Orders for Leeds\n   6  Milk: C1 4"
