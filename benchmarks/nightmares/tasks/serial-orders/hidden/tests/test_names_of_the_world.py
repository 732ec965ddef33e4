import unicodedata

from parcel_wire import Frame, FrameReader, Office, Warehouse


def test_wire_format():
    assert Frame("P", "office=Málaga\n").to_bytes() == b"#P0000000foffice=M\xc3\xa1laga\n"
    assert Frame("P", "office=東京\n").to_bytes() == b"#P0000000eoffice=\xe6\x9d\xb1\xe4\xba\xac\n"


def test_orders_of_a_day():
    office, warehouse = Office("Köln"), Warehouse()
    for customer, quantity in (("Müller", 15), ("Łukasz", 250), ("Ann", 30), ("Ελένη Παππά", 123456), ("🙂", 12)):
        office.order(customer, "tasse", quantity)
    for burst in office.send():
        warehouse.receive(burst)
    assert [order.quantity for order in warehouse.orders.values()] == [15, 250, 30, 123456, 12]
    assert [order.customer for order in warehouse.orders.values()] == [
        "Müller",
        "Łukasz",
        "Ann",
        "Ελένη Παππά",
        "🙂",
    ]
    assert warehouse.rejected == []
    assert warehouse.reader.skipped == 0


def test_text_at_the_end_of_a_message():
    office, warehouse = Office("Vigo"), Warehouse()
    first = office.order("Ann", "cup", 1)
    office.cancel(first, "señal de línea débil")
    office.order("Bob", "cup", 44)
    for burst in office.send():
        warehouse.receive(burst)
    assert warehouse.needed() == {"cup": 44}
    assert (len(warehouse.rejected), warehouse.reader.skipped) == (0, 0)
    reader = FrameReader()
    (frame,) = reader.feed(Frame("C", "reason=señal débil").to_bytes())
    assert frame.text == "reason=señal débil"


def test_bursts_fit_into_the_buffer():
    office = Office("Ωμέγα", buffer_size=100)
    for _ in range(5):
        office.ping()
    assert [len(burst) for burst in office.send()] == [84, 56]


def test_single_bytes_of_long_characters():
    reader, found = FrameReader(), []
    line = Frame("P", "office=東京\n").to_bytes() + Frame("P", "office=Ōsaka\n").to_bytes()
    for number in line:
        found += reader.feed(bytes([number]))
    assert found == [Frame("P", "office=東京\n"), Frame("P", "office=Ōsaka\n")]
    assert reader.skipped == 0


def test_composed_and_decomposed_letters_stay_as_they_are():
    for form, quantity in (("NFC", 500), ("NFD", 600)):
        office, warehouse = Office("Vigo"), Warehouse()
        name = unicodedata.normalize(form, "José")
        office.order(name, "cup", quantity)
        for burst in office.send():
            warehouse.receive(burst)
        (order,) = warehouse.orders.values()
        assert (order.customer == name, order.quantity) == (True, {"NFC": 500, "NFD": 600}[form])
        assert warehouse.reader.skipped == 0


def test_frame_of_another_sender():
    warehouse = Warehouse()
    warehouse.receive(
        b"#O00000046office=Vigo\nnumber=9\ncustomer=Jos\xc3\xa9 Mu\xc3\xb1oz\narticle=taza\nquantity=1000\n"
    )
    assert warehouse.needed() == {"taza": 1000}
