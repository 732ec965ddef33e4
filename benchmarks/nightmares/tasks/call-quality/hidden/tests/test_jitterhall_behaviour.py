from jitterhall import Packet, Receiver, SequenceTracker, summary


def play(sequences, depth=4):
    receiver, played = Receiver(depth), []
    for sequence in sequences:
        receiver.push(Packet(sequence, 0, b"%d" % sequence).encode())
        played += receiver.pull()
    return [int(payload) for payload in played], receiver


def test_positions_of_late_packets():
    tracker = SequenceTracker()
    order = [65530, 65535, 2, 65534, 65531, 5, 65533, 3, 0]
    expected = [65530, 65535, 65538, 65534, 65531, 65541, 65533, 65539, 65536]
    assert [tracker.position(each) for each in order] == expected


def test_positions_before_the_first_packet():
    tracker = SequenceTracker()
    assert [tracker.position(each) for each in (1, 65535, 0, 2, 65000)] == [1, -1, 0, 2, -536]


def test_positions_after_several_rounds():
    tracker = SequenceTracker()
    order = [40000, 60000, 10000, 30000, 50000, 1000, 65000, 999, 1001]
    expected = [40000, 60000, 75536, 95536, 115536, 132072, 130536, 132071, 132073]
    assert [tracker.position(each) for each in order] == expected


def test_packets_sent_before_the_first_one_are_late():
    played, receiver = play([0, 65535, 1, 65534, 2])
    assert played == [0, 1, 2]
    assert summary(receiver.stats) == (
        "5 of 3 packets, lost 0 (0.0%), late 2, doubled 0, rejected 0: good"
    )


def test_nothing_stays_in_the_buffer():
    played, receiver = play([65534, 1, 0, 65535, 2, 3])
    assert played == [65534, 65535, 0, 1, 2, 3]
    assert receiver.waiting == 0
    assert receiver.finish() == []


def test_packet_from_before_the_turn_that_comes_too_late():
    played, receiver = play([65534, 0, 1, 65535, 2, 3], depth=2)
    assert played == [65534, 0, 1, 2, 3]
    assert receiver.waiting == 0
    assert summary(receiver.stats) == (
        "6 of 6 packets, lost 1 (16.7%), late 1, doubled 0, rejected 0: poor"
    )


def test_doubled_packet_around_the_clock():
    played, receiver = play([65535, 0, 65535, 65534, 1])
    assert played == [65535, 0, 1]
    assert (receiver.stats.late, receiver.stats.expected, receiver.waiting) == (2, 3, 0)
