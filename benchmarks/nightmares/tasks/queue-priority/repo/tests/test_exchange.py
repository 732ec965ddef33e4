import pytest

from match_pit import Exchange, OrderError, Side


def test_best_price_first():
    pit = Exchange()
    pit.sell("Ann", 10, 102)
    pit.sell("Bob", 10, 101)
    pit.buy("Zoe", 15, 102)
    assert pit.tape.lines() == ["Zoe < Bob 10 @ 101", "Zoe < Ann 5 @ 102"]
    assert pit.book.depth(Side.SELL) == [(102, 5)]


def test_rest_of_an_order_waits():
    pit = Exchange()
    pit.sell("Ann", 4, 100)
    pit.buy("Zoe", 10, 100)
    assert pit.book.depth(Side.BUY) == [(100, 6)]
    assert pit.book.depth(Side.SELL) == []


def test_first_come_first_served():
    pit = Exchange()
    for trader in ("Ann", "Bob", "Cyd"):
        pit.sell(trader, 10, 100)
    pit.buy("Zoe", 20, 100)
    assert pit.tape.lines() == ["Zoe < Ann 10 @ 100", "Zoe < Bob 10 @ 100"]


def test_everything_is_sold_in_the_end():
    pit = Exchange()
    for trader in ("Ann", "Bob", "Cyd"):
        pit.sell(trader, 10, 100)
    pit.buy("Zoe", 30, 100)
    assert len(pit.tape) == 3
    assert pit.book.depth(Side.SELL) == []


def test_positions():
    pit = Exchange()
    pit.buy("Zoe", 3, 100)
    pit.sell("Ann", 2, 99)
    assert (pit.accounts["Zoe"].lots, pit.accounts["Zoe"].cash) == (2, -200)
    assert (pit.accounts["Ann"].lots, pit.accounts["Ann"].cash) == (-2, 200)


def test_own_order_is_cancelled():
    pit = Exchange()
    pit.sell("Zoe", 5, 100)
    pit.buy("Zoe", 5, 100)
    assert len(pit.tape) == 0
    assert pit.book.depth(Side.SELL) == []
    assert pit.book.depth(Side.BUY) == [(100, 5)]


def test_iceberg_shows_its_peak():
    pit = Exchange()
    pit.sell("Ann", 30, 100, peak=10)
    assert pit.book.depth(Side.SELL) == [(100, 10)]
    pit.buy("Zoe", 4, 100)
    assert pit.book.depth(Side.SELL) == [(100, 6)]


def test_cancel():
    pit = Exchange()
    number = pit.sell("Ann", 5, 100)
    pit.sell("Ann", 5, 101)
    pit.cancel(number)
    assert pit.cancel_all("Ann") == 1
    with pytest.raises(OrderError, match="not in the book"):
        pit.cancel(number)


def test_bad_orders():
    with pytest.raises(OrderError, match="positive"):
        Exchange().buy("Ann", 0, 100)
    with pytest.raises(OrderError, match="peak"):
        Exchange().buy("Ann", 5, 100, peak=6)
