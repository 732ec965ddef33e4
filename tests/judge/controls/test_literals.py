"""Other constants: whoever sees all that are shown cannot tell which is the original."""

import random
import re
from collections import Counter

import pytest

from debug_gym.judge.controls.literals import Words, far, numbers, others

WORDS = Words([])


@pytest.mark.parametrize("value", [0, 3, 9, 13, 20, 37, 100, 105, 250, 2400, 99_999])
def test_a_set_of_numbers_could_have_come_from_each_of_its_members(value):
    """Each member gives the same sets with the same probability."""
    family = {value, *numbers(value, random.Random(0), 3)}
    assert len(family) >= 3

    def often(member):
        draws = (
            frozenset({member, *numbers(member, random.Random(seed), len(family) - 1)})
            for seed in range(3000)
        )
        return Counter(draws)[frozenset(family)] / 3000

    shares = [often(member) for member in family]
    assert min(shares) > 0
    assert max(shares) - min(shares) < 0.03


def test_there_are_as_many_numbers_as_asked_for_none_negative():
    for value in (0, 5, 19, 20, 48, 1000, 123_456):
        found = numbers(value, random.Random(1), 24)
        assert len({*found}) == len(found) >= 9
        assert value not in found
        assert min(found) >= 0


@pytest.mark.parametrize(
    ("value", "text", "form"),
    [
        (2.5, "2.5", r"\d\.\d"),
        (0.25, "0.25", r"0\.\d\d"),
        (255, "0xff", r"0x[0-9a-f]+"),
        (1_000, "1_000", r"\d_000"),
        (True, "True", "False"),
        ("2024-03-05", "'2024-03-05'", r"'\d{4}-\d\d-\d\d'"),
        ("No. 7", '"No. 7"', r'"No\. \d"'),
        (b"a 12", "b'a 12'", r"b'a \d\d'"),
    ],
)
def test_others_are_written_as_the_original_is(value, text, form):
    found = others(value, text, random.Random(2), WORDS, 4)
    assert found
    for other in found:
        assert other.text != text
        assert re.fullmatch(form, other.text), other.text


def test_all_others_of_a_string_differ_from_it_at_the_same_place():
    for seed in range(30):
        found = others("12 of 34 lost", "'12 of 34 lost'", random.Random(seed), WORDS, 4)
        texts = [other.text[1:-1].split() for other in found]
        changed = {i for words in texts for i, word in enumerate(words) if word != "12 of 34 lost".split()[i]}
        assert len(changed) == 1
        assert len(found) == 4


def test_a_word_takes_the_place_only_of_one_that_is_used_alike():
    source = """def take(stock, left):\n    if left:\n        raise ValueError('too few')\n    'too big'\n"""
    words = Words(["too few"], [source])
    assert words.like("few") == ["big"], "neither names nor keywords stand in messages"
    assert words.like("left") == ["stock", "take"]


def test_nothing_is_close_to_a_number_and_one_that_is_far_from_it():
    for text, width in (("1.6666667", 0.01), ("3", 0.1), ("250.0", 5)):
        found = far(text, lambda value, width=width: width, random.Random(3), 4)
        assert len(found) == 4
        assert all(abs(float(other) - float(text)) > 2 * width for other in found)
    assert far("1e9", lambda value: 0, random.Random(3)) == []
