import random

import pytest

from debug_gym.agents.history import History

OPENING = [{"role": "system", "content": "rules"}, {"role": "user", "content": "task"}]


def play(history, turns, draw):
    """Turns with up to three tool calls each; a turn without calls is answered by a user message."""
    for turn in range(turns):
        ids = [f"{turn}.{call}" for call in range(draw.randint(0, 3))]
        history.begin({"role": "assistant", "content": str(turn), "tool_calls": [{"id": key} for key in ids]})
        for key in ids:
            history.answer({"role": "tool", "tool_call_id": key, "content": key})
        if not ids:
            history.answer({"role": "user", "content": "call a tool"})


def assert_no_orphans(messages):
    waiting = []
    for message in messages:
        if message["role"] == "tool":
            assert waiting.pop(0) == message["tool_call_id"]
            continue
        assert not waiting, "a call has lost its result"
        waiting = [call["id"] for call in message.get("tool_calls", ())]
    assert not waiting


@pytest.mark.parametrize("window", [None, 1, 2, 7, 100])
def test_no_result_is_ever_without_its_call(window):
    history = History(OPENING, window)
    draw = random.Random(0)
    for turn in range(1, 30):
        play(history, 1, draw)
        messages = history.messages()
        assert messages[0] == OPENING[0]
        assert messages[1]["content"].startswith("task")
        assert_no_orphans(messages)
        kept = sum(message["role"] == "assistant" for message in messages)
        assert kept == (turn if window is None else min(turn, window))


def test_it_says_how_much_is_left_out():
    history = History(OPENING, 2)
    play(history, 2, random.Random(0))
    assert history.messages()[:2] == OPENING
    play(history, 3, random.Random(0))
    assert "3 earlier step(s)" in history.messages()[1]["content"]
    assert OPENING[1] == {"role": "user", "content": "task"}


def test_shrinking_halves_what_is_really_there():
    history = History(OPENING, 100)
    play(history, 8, random.Random(0))
    sizes = []
    while history.shrink():
        sizes.append(sum(message["role"] == "assistant" for message in history.messages()))
        assert_no_orphans(history.messages())
    assert sizes == [4, 2, 1]


def test_a_full_history_does_not_shrink():
    history = History(OPENING)
    play(history, 8, random.Random(0))
    assert not history.shrink()
