import pytest

from shelfledger import (
    Dispatch,
    Journal,
    Order,
    OrderLine,
    OutOfStock,
    ShelfFull,
    UnknownShelf,
    Warehouse,
    stocklist,
)


@pytest.fixture
def lines():
    return []


@pytest.fixture
def house(lines):
    house = Warehouse(Journal(lines.append), {"A1": 100, "B1": 40})
    house.put("A1", "bolt", 60)
    house.put("A1", "nut", 30)
    return house


def test_put_and_list(house, lines):
    assert stocklist(house) == "A1: 60 bolt, 30 nut (10 free)\nB1: empty (40 free)"
    assert lines == ["0001 put 60 bolt on A1", "0002 put 30 nut on A1"]


def test_shelf_that_is_full(house, lines):
    with pytest.raises(ShelfFull, match="A1 cannot hold 11 nut more"):
        house.put("A1", "nut", 11)
    assert house.room("A1") == 10
    assert len(lines) == 2


def test_pick_too_much(house):
    with pytest.raises(OutOfStock):
        house.pick("A1", "bolt", 61)
    assert house.store.count("A1", "bolt") == 60


def test_unknown_shelf(house):
    with pytest.raises(UnknownShelf, match="there is no shelf 'C1'"):
        house.pick("C1", "bolt", 1)


def test_transfer(house, lines):
    house.transfer("A1", "B1", "bolt", 40)
    assert stocklist(house) == "A1: 20 bolt, 30 nut (50 free)\nB1: 40 bolt (0 free)"
    assert lines[2:] == ["0003 pick 40 bolt from A1", "0004 put 40 bolt on B1"]


def test_ship(house, lines):
    Dispatch(house).ship(Order("o-1", [OrderLine("A1", "bolt", 10), OrderLine("A1", "nut", 5)]))
    assert stocklist(house).startswith("A1: 50 bolt, 25 nut")
    assert lines[-1] == "0005 ship o-1"


def test_order_that_is_not_possible_is_refused(house):
    orders = [
        Order("o-1", [OrderLine("A1", "bolt", 61)]),
        Order("o-2", [OrderLine("A1", "nut", 1)]),
    ]
    assert Dispatch(house).ship_all(orders).render().splitlines() == [
        "1 orders shipped",
        "o-1 not shipped: there are not 61 bolt on A1",
    ]


def test_order_with_several_lines_is_shipped_as_a_whole_or_not_at_all(house, lines):
    order = Order("o-1", [OrderLine("A1", "bolt", 10), OrderLine("A1", "nut", 31)])
    with pytest.raises(OutOfStock, match="there are not 31 nut on A1"):
        Dispatch(house).ship(order)
    assert stocklist(house).startswith("A1: 60 bolt, 30 nut")
    assert len(lines) == 2


def test_clear_a_shelf():
    house = Warehouse(Journal([].append), {"A": 10, "B": 5, "C": 9})
    house.put("A", "x", 4)
    house.clear("A", ["B", "C"])
    assert stocklist(house) == "A: empty (10 free)\nB: 4 x (1 free)\nC: empty (9 free)"
