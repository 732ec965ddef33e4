from match_pit import Exchange, Side


def pit_with(*orders):
    pit = Exchange()
    for trader, quantity in orders:
        pit.sell(trader, quantity, 100)
    return pit


def test_queue_of_five():
    pit = pit_with(("Ann", 1), ("Bob", 2), ("Cyd", 3), ("Dan", 4), ("Eve", 5))
    pit.buy("Zoe", 12, 100)
    assert [(trade.seller, trade.quantity) for trade in pit.tape] == [
        ("Ann", 1),
        ("Bob", 2),
        ("Cyd", 3),
        ("Dan", 4),
        ("Eve", 2),
    ]
    assert pit.book.depth(Side.SELL) == [(100, 3)]


def test_small_order_for_the_second_in_the_queue():
    pit = pit_with(("Ann", 10), ("Bob", 10), ("Cyd", 10))
    pit.buy("Zoe", 15, 100)
    pit.buy("Yan", 10, 100)
    assert pit.tape.lines() == [
        "Zoe < Ann 10 @ 100",
        "Zoe < Bob 5 @ 100",
        "Yan < Bob 5 @ 100",
        "Yan < Cyd 5 @ 100",
    ]


def test_buyers_queue_too():
    pit = Exchange()
    for trader in ("Ann", "Bob", "Cyd"):
        pit.buy(trader, 10, 100)
    pit.sell("Zoe", 20, 99)
    assert pit.accounts["Bob"].lots == 10
    assert pit.accounts["Cyd"].lots == 0


def test_behind_an_order_of_ones_own():
    pit = pit_with(("Zoe", 5), ("Ann", 10), ("Bob", 10))
    pit.buy("Zoe", 10, 100)
    assert pit.tape.lines() == ["Zoe < Ann 10 @ 100"]
    assert pit.book.depth(Side.SELL) == [(100, 10)]


def test_iceberg_goes_to_the_end_of_the_queue():
    pit = Exchange()
    pit.sell("Ice", 15, 100, peak=5)
    pit.sell("Ann", 10, 100)
    pit.buy("Zoe", 18, 100)
    assert [(trade.seller, trade.quantity) for trade in pit.tape] == [("Ice", 5), ("Ann", 10), ("Ice", 3)]
    assert pit.book.depth(Side.SELL) == [(100, 2)]


def test_two_icebergs_take_turns():
    pit = Exchange()
    pit.sell("One", 6, 100, peak=3)
    pit.sell("Two", 6, 100, peak=3)
    pit.buy("Zoe", 12, 100)
    assert [trade.seller for trade in pit.tape] == ["One", "Two", "One", "Two"]


def test_single_iceberg_is_used_up():
    pit = Exchange()
    pit.sell("Ice", 7, 100, peak=3)
    pit.buy("Zoe", 9, 100)
    assert [trade.quantity for trade in pit.tape] == [3, 3, 1]
    assert pit.book.depth(Side.BUY) == [(100, 2)]
