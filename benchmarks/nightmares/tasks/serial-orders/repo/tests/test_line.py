import pytest

from parcel_wire import Frame, FrameReader, Office, Warehouse


def transmit(office, warehouse, piece=None):
    for burst in office.send():
        for start in range(0, len(burst), piece or len(burst)):
            warehouse.receive(burst[start:start + (piece or len(burst))])


def test_frame():
    assert Frame("P", "office=York\n").to_bytes() == b"#P0000000coffice=York\n"


def test_orders():
    office, warehouse = Office("York"), Warehouse()
    office.order("Ann Smith", "cup", 1200)
    office.order("Bob", "plate", 7)
    transmit(office, warehouse)
    assert warehouse.needed() == {"cup": 1200, "plate": 7}
    assert warehouse.orders["York", 2].customer == "Bob"


def test_quantity_of_an_order_from_abroad():
    office, warehouse = Office("Vigo"), Warehouse()
    office.order("José Muñoz", "cup", 1200)
    transmit(office, warehouse)
    assert warehouse.needed() == {"cup": 1200}


def test_single_bytes():
    office, warehouse = Office("York"), Warehouse()
    office.order("Ann", "cup", 3)
    office.ping()
    transmit(office, warehouse, piece=1)
    assert warehouse.needed() == {"cup": 3}
    assert warehouse.seen == {"York": 2}


def test_noise_is_skipped():
    reader = FrameReader()
    assert reader.feed(b"\x00#\xff##P00000004abcd#") == [Frame("P", "abcd")]
    assert reader.skipped == 4


def test_cancellation_with_line_break():
    office, warehouse = Office("York"), Warehouse()
    number = office.order("Ann", "cup", 3)
    office.cancel(number, "too late\nand c:\\new")
    transmit(office, warehouse)
    assert warehouse.orders == {}
    assert warehouse.rejected == []


def test_bursts():
    office = Office("York", buffer_size=100)
    for _ in range(5):
        office.ping()
    assert [len(burst) for burst in office.send()] == [88, 22]


def test_rejected_messages():
    warehouse = Warehouse()
    warehouse.receive(b"#O00000003a=b")
    assert len(warehouse.rejected) == 1
    with pytest.raises(ValueError, match="must be positive"):
        Office("York").order("Ann", "cup", 0)
