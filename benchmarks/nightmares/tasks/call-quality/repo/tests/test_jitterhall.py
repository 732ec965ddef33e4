import pytest

from jitterhall import Packet, PacketError, Receiver, SequenceTracker, summary


def play(sequences, depth=4):
    """Push packets in this order, pulling after each, and return what was played and the receiver."""
    receiver, played = Receiver(depth), []
    for sequence in sequences:
        receiver.push(Packet(sequence, 480 * sequence, b"%d" % sequence).encode())
        played += receiver.pull()
    played += receiver.finish()
    return [int(payload) for payload in played], receiver


def test_packet_round_trip():
    packet = Packet(65535, 4294967295, b"abc", codec=3)
    assert Packet.decode(packet.encode()) == packet
    with pytest.raises(PacketError, match="magic byte 0x00"):
        Packet.decode(bytes(8))


def test_tracker_goes_on_after_the_highest_number():
    tracker = SequenceTracker()
    assert [tracker.position(each) for each in (65534, 65535, 0, 1)] == [65534, 65535, 65536, 65537]


def test_swapped_packets_are_played_in_order():
    played, receiver = play([10, 12, 11, 14, 13])
    assert played == [10, 11, 12, 13, 14]
    assert (receiver.stats.lost, receiver.waiting) == (0, 0)


def test_lost_packet_is_given_up_after_a_while():
    played, receiver = play([1, 2, 4, 5, 6, 7, 3, 8], depth=4)
    assert played == [1, 2, 4, 5, 6, 7, 8]
    assert (receiver.stats.lost, receiver.stats.late) == (1, 1)


def test_doubled_packets_and_rubbish():
    receiver = Receiver()
    for data in (Packet(1, 0, b"a").encode(), Packet(3, 0, b"c").encode()) * 2 + (b"rubbish",):
        receiver.push(data)
    assert receiver.pull() == [b"a"]
    assert (receiver.stats.doubled, receiver.stats.rejected) == (2, 1)


def test_stream_around_the_clock():
    played, receiver = play([65533, 65534, 65535, 0, 1, 2])
    assert played == [65533, 65534, 65535, 0, 1, 2]
    assert summary(receiver.stats) == (
        "6 of 6 packets, lost 0 (0.0%), late 0, doubled 0, rejected 0: good"
    )


def test_swapped_packets_around_the_clock():
    played, receiver = play([65533, 65534, 0, 65535, 1, 2])
    assert played == [65533, 65534, 65535, 0, 1, 2]
    assert receiver.stats.lost == 0
