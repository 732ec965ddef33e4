from feed_ferry import Courier, Destination, Ferry, Shipment, convert, rename

FEED = "No,Qty\na,1\nb,2\nc,3\n"
LINES = ['{"qty": 1, "sku": "a"}', '{"qty": 2, "sku": "b"}', '{"qty": 3, "sku": "c"}']


def ferry(*shops, **options):
    return Ferry("feed", [rename(no="sku"), convert(qty=int)], shops, Courier(**options))


def test_all_destinations_get_the_file():
    north, south = Destination("north"), Destination("south")
    receipts = ferry(north, south).run(FEED)
    assert [receipt.lines for receipt in receipts] == [3, 3]
    assert north.files["feed"] == ['{"qty": 1, "sku": "a"}', '{"qty": 2, "sku": "b"}', '{"qty": 3, "sku": "c"}']
    assert south.files["feed"] == ['{"qty": 1, "sku": "a"}', '{"qty": 2, "sku": "b"}', '{"qty": 3, "sku": "c"}']


def test_second_attempt_sends_the_whole_file():
    shop = Destination("shop")
    shop.drop_after(2)
    (receipt,) = ferry(shop).run(FEED)
    assert (receipt.delivered, receipt.attempts, receipt.lines) == (True, 2, 3)
    assert shop.files["feed"] == LINES


def test_unreachable_shop_takes_nothing_from_the_next():
    north, south = Destination("north"), Destination("south")
    north.drop_after(1, 1)
    receipts = ferry(north, south, attempts=2).run(FEED)
    assert [receipt.delivered for receipt in receipts] == [False, True]
    assert "feed" not in north.files
    assert south.files["feed"] == LINES


def test_verified_file_agrees_with_its_manifest():
    north, south = Destination("north"), Destination("south")
    ferry(north, south, verify=True).run(FEED)
    assert north.files == {"feed.manifest": ["feed 3 d09fe401"], "feed": LINES}
    assert south.files == {"feed.manifest": ["feed 3 d09fe401"], "feed": LINES}


def test_manifest_can_be_asked_for_twice():
    shipment = Shipment("feed", ({"n": number} for number in range(4)))
    assert shipment.manifest().lines == 4
    assert shipment.manifest().lines == 4
    assert list(shipment.lines()) == ['{"n": 0}', '{"n": 1}', '{"n": 2}', '{"n": 3}']


def test_one_shop_without_manifest():
    shop = Destination("shop")
    assert [receipt.lines for receipt in ferry(shop).run(FEED)] == [3]
    assert list(shop.files) == ["feed"]
