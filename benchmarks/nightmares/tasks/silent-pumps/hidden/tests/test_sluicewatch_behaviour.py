import struct

import pytest

from sluicewatch import Alarm, Frame, FrameError, Registry, Session, overview


def announce(number, name):
    return Frame("A", struct.pack("!H", number) + name.encode()).encode()


def roster(text):
    return Frame("R", text.encode()).encode()


def sample(number, value):
    return Frame("S", struct.pack("!Hi", number, round(value * 1000))).encode()


@pytest.fixture
def registry():
    registry = Registry()
    registry.watch("Pump A", high=2.5)
    registry.watch("Überlauf Süd", low=1.0)
    registry.watch(12, high=8.0)
    return registry


def test_a_device_is_the_same_before_and_after_a_reconnect(registry):
    session = Session(registry)
    session.feed(announce(1, "Pump A") + sample(1, 1.0))
    session.lost()
    session.feed(roster("5=PUMP A\n6=12") + sample(5, 2.0) + sample(6, 7.0))
    assert len(registry) == 3
    assert overview(registry).splitlines() == [
        "12               online       7.000      1",
        "pump a           online       2.000      2",
        "überlauf süd     offline          -      0",
        "0 alarms, 0 other devices online",
    ]


def test_names_beyond_ascii(registry):
    Session(registry).feed(roster("7=ÜBERLAUF SÜD") + sample(7, 0.25))
    assert registry.alarms == [Alarm("überlauf süd", 0.25, 1.0)]


def test_line_ends_and_spaces_of_a_roster(registry):
    Session(registry).feed(roster("1 = Pump A \r\n2=12\r\n") + sample(1, 3.0) + sample(2, 9.0))
    assert registry.alarms == [Alarm("pump a", 3.0, 2.5), Alarm("12", 9.0, 8.0)]


def test_a_roster_of_the_very_first_connection(registry):
    Session(registry).feed(roster("1=pump a\n2=new lift=2"))
    assert [device.name for device in registry if device.online] == ["new lift=2", "pump a"]
    assert "Pump A" in registry and "New Lift=2" in registry


def test_link_lost_after_a_roster(registry):
    session = Session(registry)
    session.feed(roster("1=Pump A\n2=12"))
    session.lost()
    assert [device.name for device in registry if device.online] == []
    session.feed(sample(1, 99.0))
    assert (session.unknown, registry.alarms) == (1, [])


def test_bye_after_a_roster(registry):
    session = Session(registry)
    session.feed(roster("1=Pump A\n2=12") + Frame("B", b"\x00\x02").encode())
    assert [device.name for device in registry if device.online] == ["pump a"]


def test_bad_roster_enters_nobody(registry):
    with pytest.raises(FrameError, match="bad roster line"):
        Session(registry).feed(roster("1=Pump A\nx=12"))
    assert not any(device.online for device in registry)
