import pytest

from feed_ferry import Courier, Destination, FeedError, Ferry, Shipment, convert, drop, rename

FEED = "Art_No, Name, Stock\n17, Cup, 4\n18, Plate, 0\n\n19, Fork, 12\n"
STEPS = [rename(art_no="sku"), convert(stock=int), drop(lambda record: record["stock"] == 0)]
CUP = '{"name": "Cup", "sku": "17", "stock": 4}'
FORK = '{"name": "Fork", "sku": "19", "stock": 12}'


def ferry(*shops, **options):
    return Ferry("acme", STEPS, shops, Courier(**options))


def test_steps_and_format():
    shop = Destination("shop")
    ferry(shop).run(FEED)
    assert shop.files == {"acme": [CUP, FORK]}


def test_receipt():
    (receipt,) = ferry(Destination("shop")).run(FEED)
    assert (receipt.destination, receipt.delivered, receipt.lines, receipt.attempts) == ("shop", True, 2, 1)


def test_verified_delivery():
    shop = Destination("shop")
    ferry(shop, verify=True).run(FEED)
    assert shop.files["acme.manifest"][0].startswith("acme 2 ")
    assert shop.files["acme"] == [CUP, FORK]


def test_connection_that_never_comes_up():
    shop = Destination("shop")
    shop.drop_after(0, 0)
    (receipt,) = ferry(shop, attempts=2).run(FEED)
    assert not receipt.delivered
    assert receipt.problem == "shop went away after 0 lines"
    assert shop.files == {}


def test_manifest():
    manifest = Shipment("a", [{"x": 1}, {"x": 2}]).manifest()
    assert manifest.text() == "a 2 08c4db93"


def test_broken_line():
    shop = Destination("shop")
    with pytest.raises(FeedError, match="line 3: 2 values for 3 columns"):
        ferry(shop).run("a,b,stock\n1,2,3\n1,2\n")
    assert shop.files == {}


def test_empty_feed():
    with pytest.raises(FeedError, match="line 1: the feed is empty"):
        ferry(Destination("shop")).run("")


def test_file_name():
    with pytest.raises(ValueError, match="cannot be a file name"):
        Shipment("a/b", [])
