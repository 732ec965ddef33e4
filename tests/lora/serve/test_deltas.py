"""What a stream may send before it is known what the whole text is."""

import random

import pytest

from debug_gym.lora.serve.http.deltas import Deltas
from debug_gym.toolcalls import find_calls

from .test_constraints import TOOLS

CALL = '<tool_call>\n{"name": "view", "arguments": {"path": "a.py"}}\n</tool_call>'
TEXTS = [
    "Just text, with a < b and [1] in it.\n\nAnd more.  ",
    "<think>\nFirst I think: a < b?\n</think>\n\nThen I say [this].",
    f"I look at it.\n\n{CALL}",
    f"<think>Where?</think>I look.\n{CALL}\n{CALL}",
    CALL,
    f"<think>I call while I think.\n{CALL}",
    "<b>bold</b> `code` and nothing else",
    "  \n leading space",
    "",
]


def stream(text, tools, draw):
    """The message that a client puts together, and whether a call's marker was in any of it."""
    deltas, message, at = Deltas(tools=bool(tools)), {}, 0
    while at < len(text):
        size = draw.randrange(1, 9)
        for key, piece in deltas.add(text[at : at + size]).items():
            message[key] = message.get(key, "") + piece
        at += size
    before = dict(message)
    for key, piece in deltas.end(find_calls(text, tools)).items():
        message[key] = message.get(key, "") + piece
    return message, before


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("tools", [(), TOOLS], ids=["plain", "tools"])
def test_the_parts_are_the_whole_however_they_are_cut(text, tools):
    found = find_calls(text, tools)
    for seed in range(20):
        message, before = stream(text, tools, random.Random(seed))
        assert message.get("content", "") == found.text
        assert "<tool_call>" not in before.get("content", "") or not tools
        if not (found.calls and not found.text and not found.reasoning):
            assert message.get("reasoning_content", "").startswith(found.reasoning)


def test_text_is_not_held_back_without_need():
    deltas = Deltas(tools=True)
    assert deltas.add("I look at ") == {"content": "I look at"}
    assert deltas.add("it.") == {"content": " it."}
    assert deltas.add("\n\n<tool") == {}
    plain = Deltas(tools=False)
    assert plain.add("a < b") == {"content": "a < b"}
    thinking = Deltas(tools=True)
    assert thinking.add("<think>") == {}
    assert thinking.add("So: ") == {"reasoning_content": "So:"}
    assert thinking.add("yes</think>Done.") == {"reasoning_content": " yes"}
    assert thinking.add("") == {"content": "Done."}
