import json
import random
import string

import pytest

from debug_gym.toolcalls.loose_json import BrokenJSONError, loads


def anything(draw, depth=0):
    """A random JSON value."""
    kind = draw.randrange(4 if depth > 3 else 6)
    if kind == 4:
        return [anything(draw, depth + 1) for _ in range(draw.randrange(4))]
    if kind == 5:
        return {text(draw): anything(draw, depth + 1) for _ in range(draw.randrange(4))}
    return [text(draw), draw.randint(-9, 10**20), draw.random() * 1e9, draw.choice([True, False, None])][kind]


def text(draw):
    alphabet = string.printable[:-2] + "äß€😀\\\\\"'{}[],:/#"
    return "".join(draw.choices(alphabet, k=draw.randrange(8)))


@pytest.mark.parametrize("seed", range(30))
def test_valid_json_is_read_as_it_is_and_python_as_it_is_meant(seed):
    value = {"value": anything(random.Random(seed))}
    assert loads(json.dumps(value)) == (value, [])
    assert loads(repr(value))[0] == value


@pytest.mark.parametrize(
    ("broken", "value", "mended"),
    [
        ('{"a": [1, 2,],}', {"a": [1, 2]}, ["a comma too many"]),
        ("{'a': 'it is \"so\"'}", {"a": 'it is "so"'}, ["single quotes"]),
        ("{'a': 'it\\'s'}", {"a": "it's"}, ["single quotes", "an escaped single quote"]),
        ('{"a": {"b": 1', {"a": {"b": 1}}, ["a missing }"]),
        ('[{"b": 1}', [{"b": 1}], ["a missing ]"]),
        (
            '{"a": "one\ntwo\tthree"}',
            {"a": "one\ntwo\tthree"},
            ["a line break or control character in a string"],
        ),
        ('{"a": "\\d+\\n"}', {"a": "\\d+\n"}, ["a backslash that starts no escape"]),
        ('{"a": 1 // one\n, /* two */ "b": 2 # three\n}', {"a": 1, "b": 2}, ["a comment"]),
        ("{a: True, b: None}", {"a": True, "b": None}, ["a key without quotes", "True, False or None"]),
        ('{"u": "# \\u00e4 // é",}', {"u": "# ä // é"}, ["a comma too many"]),
    ],
)
def test_what_has_one_meaning_is_mended(broken, value, mended):
    assert loads(broken) == (value, mended)


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ("", "ends where a value should stand"),
        ("{", "ends where a key should stand"),
        ('{"a": 1, ', "ends where a key should stand"),
        ('{"a":', "ends where a value should stand"),
        ('{"a": "cut', "a string begins here and does not end (line 1, column 7)"),
        ('{"a": "say "hi""}', "h stands where a comma or } should"),
        ('{"a": 1 "b": 2}', "should (line 1, column 9)"),
        ('{"a" 1}', "a colon is missing after the key 'a'"),
        ('{"a": 1}\n{"a": 2}', "more text after the end (line 2, column 1)"),
        ('{"a": 012}', "a value is missing"),
        ('{"a": yes}', "a value is missing"),
        ('{"a": ]}', "a value is missing"),
        ("{1: 2}", "a key is missing"),
        ('{"a": 1, "b": ' + "1" * 5000 + "}", "a number is too long (line 1, column 15)"),
        ("[" * 100_000, "more than 100 brackets within brackets"),
    ],
)
def test_what_would_be_a_guess_is_refused(broken, why):
    with pytest.raises(BrokenJSONError) as caught:
        loads(broken)
    assert why in str(caught.value)
