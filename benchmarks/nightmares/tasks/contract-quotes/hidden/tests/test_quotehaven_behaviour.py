from datetime import date

import pytest

from quotehaven import (
    Article,
    Campaign,
    Catalogue,
    ContractPrices,
    ListPrices,
    NoPrice,
    Quoter,
    load,
)

DAY = date(2024, 3, 15)

CATALOGUE = Catalogue(
    [Article("PEN", "Pen", "writing", 250), Article("INK", "Ink", "writing", 800)]
)

CUSTOMERS = """
ID ; Name ; Group
7;Maple;north
8;Oak;NORTH
9;Pine;NoRtH
10;Rowan;west
11;Teak;
"""
REBATES = """
group;percent
nOrTh;20
"""
CONTRACTS = """
customer;sku;from;price
7;PEN;1;200
8;PEN;1;200
9;pen;5;190
10;PEN;1;200
11;PEN;1;200
"""


def quoter(campaigns=()):
    return Quoter.standard(load(CUSTOMERS, REBATES, CONTRACTS), CATALOGUE, campaigns)


def first_line(number, sku, quantity, campaigns=()):
    line = quoter(campaigns).quote(number, [(sku, quantity)], DAY).lines[0]
    return line.unit_price, line.source


def test_the_case_of_a_group_does_not_matter():
    assert first_line("7", "PEN", 1) == (160, "contract")
    assert first_line("8", "PEN", 1) == (160, "contract")
    assert first_line("9", "PEN", 5) == (152, "contract")


def test_a_contract_comes_before_a_cheaper_campaign():
    half = Campaign("writing", 50, DAY, DAY)
    assert first_line("7", "PEN", 1, [half]) == (160, "contract")
    assert first_line("9", "PEN", 4, [half]) == (125, "campaign")


def test_a_group_without_a_rebate_stops_the_quote():
    with pytest.raises(Exception):
        quoter().quote("10", [("PEN", 1)], DAY)


def test_an_empty_group_stops_the_quote_of_a_contract():
    with pytest.raises(Exception):
        quoter().quote("11", [("PEN", 1)], DAY)


def test_articles_outside_the_contract_still_have_their_list_price():
    assert first_line("10", "INK", 3) == (800, "list")
    assert first_line("7", "ink", 3) == (800, "list")


class Broken:
    name = "broken"

    def __init__(self, error):
        self.error = error

    def price(self, customer, article, quantity, day):
        raise self.error


def test_errors_inside_a_source_are_not_hidden():
    data = load(CUSTOMERS, REBATES, CONTRACTS)
    for error in (KeyError("x"), IndexError("y")):
        sources = [Broken(error), ContractPrices(data), ListPrices(CATALOGUE)]
        with pytest.raises(Exception):
            Quoter(data, CATALOGUE, sources).quote("7", [("PEN", 1)], DAY)


def test_no_source_has_a_price():
    data = load(CUSTOMERS, REBATES, CONTRACTS)
    with pytest.raises(NoPrice, match="no price for 2 pieces of INK"):
        Quoter(data, CATALOGUE, [Broken(NoPrice("none"))]).quote("7", [("INK", 2)], DAY)
