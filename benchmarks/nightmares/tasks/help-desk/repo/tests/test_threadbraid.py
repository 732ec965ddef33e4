import json
from datetime import datetime

import pytest

from threadbraid import MailboxError, Timeline, converse, load, outline


def mailbox(name, *rows):
    """Rows are id, time on 1 March (or None), author, and what it replies to."""
    lines = []
    for number, time, author, reply_to in rows:
        raw = {"id": number, "author": author, "text": f"text {number}", "reply_to": reply_to}
        if time:
            raw["sent"] = f"2024-03-01T{time}"
        lines.append(json.dumps(raw))
    return load(name, "\n".join(lines))


@pytest.fixture
def customers():
    return mailbox(
        "customers",
        ("c1", "09:00", "Kim", None),
        ("c2", "09:30", "Lou", None),
        ("c3", "11:00", "Kim", "a1"),
    )


@pytest.fixture
def agents():
    return mailbox(
        "agents",
        ("a1", "10:15", "Support", "c1"),
        ("a2", "09:45", "Support", "c2"),
        ("a3", None, "Support", "c3"),
    )


def test_timeline_is_in_the_order_of_time(customers, agents):
    assert Timeline([customers, agents]).ids() == ["c1", "c2", "a2", "a1", "c3", "a3"]
    assert Timeline([agents, customers]).ids() == ["c1", "c2", "a2", "a1", "c3", "a3"]


def test_drafts_and_latest(customers, agents):
    timeline = Timeline([customers, agents])
    assert [message.id for message in timeline.drafts()] == ["a3"]
    assert [message.id for message in timeline.latest(2)] == ["c3", "a1"]


def test_conversations(customers, agents):
    first, second = converse(Timeline([customers, agents]))
    assert [(depth, message.id) for depth, message in first.walk()] == [
        (0, "c1"),
        (1, "a1"),
        (2, "c3"),
        (3, "a3"),
    ]
    assert (len(second), second.authors) == (2, ["Lou", "Support"])


def test_quick_answer_belongs_to_its_question(customers):
    quick = mailbox("agents", ("q1", "09:30", "Support", "c2"), ("q2", "09:30", "Support", "q1"))
    conversations = converse(Timeline([customers, quick]))
    assert outline(conversations[:2]).splitlines() == [
        "- 01.03. 09:00 Kim: text c1",
        "- 01.03. 09:30 Lou: text c2",
        "  - 01.03. 09:30 Support: text q1",
        "    - 01.03. 09:30 Support: text q2",
    ]


def test_reply_to_something_unknown(agents):
    text = outline(converse(Timeline([agents])))
    assert text.splitlines()[0] == "~ 01.03. 09:45 Support: text a2"


def test_between(customers):
    found = Timeline([customers]).between(datetime(2024, 3, 1, 9, 30), datetime(2024, 3, 1, 11))
    assert [message.id for message in found] == ["c2"]


def test_bad_export():
    with pytest.raises(MailboxError, match="agents, line 2: 'author'"):
        load("agents", '\n{"id": 1}')


def test_no_mailboxes():
    assert Timeline([]).ids() == []
    assert outline([]) == ""
