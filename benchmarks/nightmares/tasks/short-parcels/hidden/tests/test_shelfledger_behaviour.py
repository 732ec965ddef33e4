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
    house = Warehouse(Journal(lines.append), {"A": 20, "B": 5, "C": 9})
    house.put("A", "x", 7)
    house.put("A", "y", 6)
    return house


BEFORE = "A: 7 x, 6 y (7 free)\nB: empty (5 free)\nC: empty (9 free)"


def test_transfer_to_a_shelf_without_room(house, lines):
    with pytest.raises(ShelfFull, match="B cannot hold 6 x more"):
        house.transfer("A", "B", "x", 6)
    assert stocklist(house) == BEFORE
    assert lines == ["0001 put 7 x on A", "0002 put 6 y on A"]


def test_transfer_to_a_shelf_that_does_not_exist(house):
    with pytest.raises(UnknownShelf, match="there is no shelf 'Z'"):
        house.transfer("A", "Z", "x", 1)
    assert stocklist(house) == BEFORE


def test_report_of_orders_with_several_lines(house, lines):
    orders = [
        Order("1", [OrderLine("A", "x", 2), OrderLine("A", "y", 7), OrderLine("A", "x", 1)]),
        Order("2", [OrderLine("A", "y", 6), OrderLine("A", "x", 6)]),
        Order("3", [OrderLine("A", "x", 1), OrderLine("A", "x", 1)]),
        Order("4", [OrderLine("A", "x", 1), OrderLine("Q", "x", 1)]),
    ]
    report = Dispatch(house).ship_all(orders)
    assert report.shipped == ["2"]
    assert report.refused == {
        "1": "there are not 7 y on A",
        "3": "there are not 1 x on A",
        "4": "there is no shelf 'Q'",
    }
    assert lines[2:] == ["0003 pick 6 y from A", "0004 pick 6 x from A", "0005 ship 2"]


def test_a_unit_of_ones_own(house, lines):
    with pytest.raises(OutOfStock):
        with house.unit():
            house.put("C", "z", 1)
            house.pick("A", "x", 8)
    assert stocklist(house) == BEFORE
    assert len(lines) == 2


def test_errors_of_other_kinds_come_through(house):
    with pytest.raises(ZeroDivisionError):
        with house.unit():
            house.put("C", "z", 1)
            with house.unit():
                house.put("C", "z", 1 // 0)
    assert stocklist(house) == BEFORE


def test_a_part_that_may_fail(house, lines):
    with house.unit():
        house.put("C", "z", 1)
        with pytest.raises(ShelfFull):
            house.put("C", "z", 9)
        house.put("C", "z", 2)
    assert house.store.count("C", "z") == 3
    assert lines[2:] == ["0003 put 1 z on C", "0004 put 2 z on C"]


def test_clearing_takes_the_first_shelf_with_room(house, lines):
    house.pick("A", "y", 1)
    house.clear("A", ["B", "C", "A"])
    assert stocklist(house) == "A: empty (20 free)\nB: 5 y (0 free)\nC: 7 x (2 free)"
    assert lines[3:] == [
        "0004 pick 7 x from A",
        "0005 put 7 x on C",
        "0006 pick 5 y from A",
        "0007 put 5 y on B",
    ]


def test_clearing_that_is_not_possible(house, lines):
    with pytest.raises(ShelfFull, match="no room for 6 y of A"):
        house.clear("A", ["C", "B"])
    assert stocklist(house) == BEFORE
    assert len(lines) == 2
