import json

from threadbraid import Timeline, converse, load, merge, merge_all, outline


def mailbox(name, *rows):
    lines = []
    for number, time, reply_to in rows:
        raw = {"id": number, "author": name, "text": f"text {number}", "reply_to": reply_to}
        if time:
            raw["sent"] = f"2024-03-01T{time}"
        lines.append(json.dumps(raw))
    return load(name, "\n".join(lines))


def test_three_mailboxes_of_the_same_minute():
    boxes = [
        mailbox(name, (f"{name}1", "08:00", None), (f"{name}2", "08:00", None)) for name in "xyz"
    ]
    assert Timeline(boxes).ids() == ["x1", "x2", "y1", "y2", "z1", "z2"]
    assert Timeline(boxes[::-1]).ids() == ["z1", "z2", "y1", "y2", "x1", "x2"]


def test_seconds_do_not_count():
    front = mailbox("front", ("f", "08:00:59", None))
    back = mailbox("back", ("b", "08:00:01", "f"))
    assert Timeline([front, back]).ids() == ["f", "b"]
    assert len(converse(Timeline([front, back]))) == 1


def test_drafts_keep_the_order_of_the_mailboxes():
    boxes = [
        mailbox(name, (f"{name}1", None, None), (f"{name}2", "08:00", None)) for name in "pqrst"
    ]
    assert Timeline(boxes).ids() == ["p2", "q2", "r2", "s2", "t2", "p1", "q1", "r1", "s1", "t1"]


def test_message_that_two_mailboxes_have_is_the_first_ones():
    inbox = mailbox("inbox", ("m", "08:00", None), ("n", "08:00", "m"))
    archive = mailbox("archive", ("old", "08:00", None), ("m", "08:00", None))
    timeline = Timeline([inbox, archive])
    assert [(message.id, message.author) for message in timeline] == [
        ("m", "inbox"),
        ("n", "inbox"),
        ("old", "archive"),
    ]


def test_latest_of_the_same_minute():
    first = mailbox("first", ("a", "08:00", None), ("b", "08:00", None))
    second = mailbox("second", ("c", "08:00", None), ("d", "07:00", None))
    assert [message.id for message in Timeline([first, second]).latest(3)] == ["c", "b", "a"]


def test_merging_keeps_the_order_of_equals():
    first, second = [(1, "a"), (2, "a"), (2, "b")], [(1, "c"), (2, "c"), (3, "c")]
    expected = [(1, "a"), (1, "c"), (2, "a"), (2, "b"), (2, "c"), (3, "c")]
    assert merge(first, second, lambda pair: pair[0]) == expected
    runs = [[(5, name)] for name in "abcdefg"]
    assert "".join(name for _, name in merge_all(runs, lambda pair: pair[0])) == "abcdefg"


def test_chain_of_quick_answers_over_four_mailboxes():
    boxes = [mailbox(f"m{n}", (f"i{n}", "08:00", f"i{n - 1}" if n else None)) for n in range(4)]
    assert outline(converse(Timeline(boxes))).splitlines() == [
        "- 01.03. 08:00 m0: text i0",
        "  - 01.03. 08:00 m1: text i1",
        "    - 01.03. 08:00 m2: text i2",
        "      - 01.03. 08:00 m3: text i3",
    ]
