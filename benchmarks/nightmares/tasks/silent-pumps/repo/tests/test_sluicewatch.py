import struct

import pytest

from sluicewatch import (
    Alarm,
    Frame,
    FrameError,
    FrameReader,
    Registry,
    Session,
    load_plan,
    overview,
)

PLAN = """[
    {"name": "Gate North", "low": 0.5, "high": 4.0},
    {"name": "Pump A", "high": 2.5},
    {"name": 12, "low": 1.0}
]"""


def announce(number, name):
    return Frame("A", struct.pack("!H", number) + name.encode()).encode()


def roster(**names):
    lines = [f"{number[1:]}={name}" for number, name in names.items()]
    return Frame("R", "\n".join(lines).encode()).encode()


def sample(number, value):
    return Frame("S", struct.pack("!Hi", number, round(value * 1000))).encode()


def bye(number):
    return Frame("B", struct.pack("!H", number)).encode()


@pytest.fixture
def registry():
    registry = Registry()
    assert load_plan(PLAN, registry) == 3
    return registry


def test_frames_in_pieces():
    data = announce(7, "Pump A") + bye(7)
    reader = FrameReader()
    frames = [frame for byte in data for frame in reader.feed(bytes([byte]))]
    assert frames == [Frame("A", b"\x00\x07Pump A"), Frame("B", b"\x00\x07")]


def test_broken_frames(registry):
    with pytest.raises(FrameError, match="unknown kind of frame 'X'"):
        list(FrameReader().feed(b"X\x00\x00"))
    with pytest.raises(FrameError, match="bad roster line"):
        Session(registry).feed(Frame("R", b"nonsense").encode())


def test_alarm(registry):
    session = Session(registry)
    session.feed(announce(3, "GATE NORTH ") + sample(3, 3.9) + sample(3, 4.25) + sample(3, 0.1))
    assert registry.alarms == [Alarm("gate north", 4.25, 4.0), Alarm("gate north", 0.1, 0.5)]


def test_a_device_with_a_number_for_a_name(registry):
    Session(registry).feed(announce(1, "12") + sample(1, 0.5))
    assert registry.alarms == [Alarm("12", 0.5, 1.0)]


def test_samples_of_unknown_numbers_are_counted(registry):
    session = Session(registry)
    session.feed(announce(3, "pump a") + bye(3) + sample(3, 9.0) + sample(4, 9.0))
    assert (session.unknown, registry.alarms) == (2, [])


def test_overview(registry):
    Session(registry).feed(announce(1, "Pump A") + announce(2, "Lift") + sample(1, 2.0))
    assert overview(registry).splitlines() == [
        "12               offline          -      0",
        "gate north       offline          -      0",
        "pump a           online       2.000      1",
        "0 alarms, 1 other devices online",
    ]


def test_alarm_after_a_reconnect(registry):
    session = Session(registry)
    session.feed(announce(3, "Pump A") + sample(3, 1.0))
    session.lost()
    session.feed(roster(n8="Pump A", n9="Gate North") + sample(8, 2.75))
    assert registry.alarms == [Alarm("pump a", 2.75, 2.5)]


def test_everybody_is_offline_while_the_link_is_down(registry):
    session = Session(registry)
    session.feed(announce(3, "Pump A") + announce(4, "Gate North"))
    session.lost()
    assert not any(device.online for device in registry)
