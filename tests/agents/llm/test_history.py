import itertools
import json
import random

import pytest

from debug_gym.agents.llm.history import History

OPENING = [{"role": "system", "content": "rules"}, {"role": "user", "content": "task"}]
LONG = "first line\n" + "x" * 5000 + "\nlast line"
POLICIES = ["full", "window", "elide", "summarise"]


def play(history, turns, draw, text=None):
    """Turns with up to three tool calls each; a turn without calls is corrected."""
    for turn in range(turns):
        ids = [f"{turn}.{call}" for call in range(draw.randint(0, 3))]
        calls = [{"id": key} for key in ids]
        history.begin({"role": "assistant", "content": str(turn), **({"tool_calls": calls} if calls else {})})
        for key in draw.sample(ids, len(ids)):
            history.answer(key, text or key)
        if not ids:
            history.correct("call a tool")


def turns_in(history):
    return sum(message["role"] == "assistant" for message in history.messages())


def results(history):
    return [message["content"] for message in history.messages() if message["role"] == "tool"]


def assert_whole(messages):
    """The opening stands first, and each turn has all of its results in the order of its calls."""
    assert messages[0] == OPENING[0]
    assert messages[1]["content"].startswith("task")
    waiting = []
    for message in messages:
        if message["role"] == "tool":
            assert waiting.pop(0) == message["tool_call_id"]
            continue
        assert not waiting, "a call has lost its result"
        waiting = [call["id"] for call in message.get("tool_calls", ())]
    assert not waiting


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("window", [1, 2, 7, 100])
def test_no_result_is_ever_without_its_call(policy, window):
    history, draw = History(OPENING, policy, window), random.Random(0)
    for turn in range(1, 40):
        play(history, 1, draw, draw.choice([None, LONG]))
        if history.overdue():
            history.replace_overdue(f"up to {turn}")
        assert_whole(history.messages())
        if turn % 10 == 0:
            history.shrink()
            assert_whole(history.messages())


def test_a_window_says_how_much_is_left_out():
    history = History(OPENING, "window", 2)
    play(history, 2, random.Random(0))
    assert history.messages()[:2] == OPENING
    play(history, 3, random.Random(0))
    assert turns_in(history) == 2
    assert "3 earlier step(s)" in history.messages()[1]["content"]
    assert OPENING[1] == {"role": "user", "content": "task"}


def test_old_results_are_elided_a_few_at_a_time():
    history, elided = History(OPENING, "elide", 4), []
    for _ in range(8):
        history.begin({"role": "assistant", "content": "look", "tool_calls": [{"id": "a"}, {"id": "b"}]})
        history.answer("b", "short")
        history.answer("a", LONG)
        elided.append(sum(len(text) < 1000 for text in results(history)) - len(results(history)) // 2)
    assert elided == [0, 0, 0, 0, 0, 2, 2, 4]
    cut = results(history)[0]
    assert cut.startswith("first line\nxxx")
    assert cut.endswith("xxx\nlast line")
    assert f"({len(LONG) - 600} characters of this result are left out.)" in cut
    assert results(history)[-2:] == [LONG, "short"]


def test_a_summary_takes_the_place_of_old_turns():
    history, draw = History(OPENING, "summarise", 3), random.Random(1)
    play(history, 5, draw)
    assert history.overdue() == []
    play(history, 1, draw)
    assert [message["content"] for message in history.overdue() if message["role"] == "assistant"] == [
        "0",
        "1",
        "2",
    ]
    history.replace_overdue(" the minus is wrong \n")
    assert history.overdue() == []
    assert turns_in(history) == 3
    assert history.messages()[1]["content"] == "task\n\nSummary of 3 earlier step(s):\nthe minus is wrong"
    play(history, 3, draw)
    history.replace_overdue("")
    text = history.messages()[1]["content"]
    assert "the minus is wrong\n\n(3 earlier step(s)" in text


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("text", [LONG, None])
def test_shrinking_always_comes_to_an_end(policy, text):
    history = History(OPENING, policy, 16)
    play(history, 16, random.Random(0), text)
    sizes = [len(json.dumps(history.messages()[2:]))]
    while history.shrink():
        assert_whole(history.messages())
        sizes.append(len(json.dumps(history.messages()[2:])))
    assert all(after <= 0.75 * before for before, after in itertools.pairwise(sizes))
    assert turns_in(history) == 1
    assert len(sizes) > 3


def test_shrinking_elides_before_it_leaves_out():
    history = History(OPENING)
    play(history, 8, random.Random(0), LONG)
    assert history.shrink()
    assert turns_in(history) == 8
    assert LONG in results(history)


def test_what_was_elided_to_shrink_stays_so_and_what_follows_is_whole():
    history = History(OPENING, "full")
    play(history, 4, random.Random(5), LONG)
    while history.shrink():
        pass
    history.begin({"role": "assistant", "content": "next", "tool_calls": [{"id": "n"}]})
    history.answer("n", LONG)
    assert results(history)[-1] == LONG


def test_nothing_cannot_be_shrunk():
    assert not History(OPENING).shrink()
