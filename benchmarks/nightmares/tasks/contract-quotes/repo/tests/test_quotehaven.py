from datetime import date

import pytest

from quotehaven import Article, Campaign, Catalogue, Quoter, UnknownArticle, UnknownCustomer, load

CATALOGUE = Catalogue(
    [
        Article("LMP-1", "Desk lamp", "lighting", 4900),
        Article("LMP-2", "Floor lamp", "lighting", 11900),
        Article("CHR-7", "Office chair", "seating", 18900),
    ]
)

CUSTOMERS = """
id;name;group
1001;Alder & Sons;GOLD
1002;Birch Office; Silver
1003;Cedar Coop;GOLD
"""

REBATES = """
group;percent
gold;10
Silver;5
"""

CONTRACTS = """
customer;sku;from;price
1001;LMP-1;10;4000
1001;LMP-1;50;3600
1002;chr-7;1;16000
1002;chr-7;20;15001
"""

DAY = date(2024, 3, 15)
SPRING = Campaign("lighting", 20, date(2024, 3, 1), date(2024, 3, 31))


def quoter(campaigns=()):
    return Quoter.standard(load(CUSTOMERS, REBATES, CONTRACTS), CATALOGUE, campaigns)


def test_list_price():
    quote = quoter().quote("1003", [("CHR-7", 2)], DAY)
    assert (quote.total, quote.lines[0].source) == (37800, "list")


def test_tiers_of_a_contract():
    prices = [
        quoter().quote("1001", [("lmp-1", quantity)], DAY).lines[0].unit_price
        for quantity in (10, 49, 50, 500)
    ]
    assert prices == [3600, 3600, 3240, 3240]


def test_below_the_first_tier_the_contract_has_no_price():
    line = quoter().quote("1001", [("LMP-1", 9)], DAY).lines[0]
    assert (line.unit_price, line.source) == (4900, "list")


def test_campaign_comes_before_the_list_price_but_after_a_contract():
    lines = quoter([SPRING]).quote("1001", [("LMP-1", 10), ("LMP-2", 1)], DAY).lines
    assert [(line.unit_price, line.source) for line in lines] == [
        (3600, "contract"),
        (9520, "campaign"),
    ]


def test_contract_of_a_silver_customer():
    quote = quoter().quote("1002", [("CHR-7", 20)], DAY)
    assert quote.lines[0].source == "contract"
    assert quote.total == 285020


def test_unknown_names():
    with pytest.raises(UnknownArticle):
        quoter().quote("1001", [("SOFA", 1)], DAY)
    with pytest.raises(UnknownCustomer):
        quoter().quote("9999", [("LMP-1", 1)], DAY)


def test_missing_column_is_reported():
    with pytest.raises(ValueError, match="column 'percent' is missing"):
        load(CUSTOMERS, "group\ngold", CONTRACTS)


def test_rendered_quote():
    text = quoter().quote("1001", [("LMP-1", 50)], DAY).render()
    assert text.splitlines()[-1].split() == ["total", "1620.00"]
