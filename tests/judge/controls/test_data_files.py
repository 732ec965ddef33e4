"""Edits of data files: one expectation each."""

import pytest

from debug_gym.judge.controls.certain import control
from debug_gym.judge.controls.data_files import data_edits, is_read, row_edits
from debug_gym.judge.controls.texts import apply


def texts(edits, text):
    return {apply(control("t", "a.json", edit), {"a.json": text}) for edit in edits}


@pytest.mark.parametrize(
    ("text", "row", "form"),
    [
        ("[[1, 2], 3]\n[[4, 5], 9]\n", 1, "[[1, 2], 3]\n[[4, 5], {}]\n"),
        ('[["a", 3],\n ["b", 9]]', 1, '[["a", 3],\n ["b", {}]]'),
        ("[[17, 0], [17]]\n\n[[3], [1, [9]]]\n", 0, "[[17, 0], [{}]]\n\n[[3], [1, [9]]]\n"),
    ],
)
def test_of_a_row_the_last_cell_is_changed(text, row, form):
    found = texts(row_edits(text, row, 0, 4), text)
    assert len(found) == 4
    begin, end = form.split("{}")
    assert all(changed.startswith(begin) and changed.endswith(end) for changed in found)


def test_booleans_stay_json():
    assert texts(row_edits("[[1, true]]", 0, 0), "[[1, true]]") == {"[[1, false]]"}


@pytest.mark.parametrize(
    "text", ["", "{}", "[1, 2]", '[["a", null]]', '[["a", {"b": 1}]]', "[[]]", "no [json"]
)
def test_what_is_no_table_offers_nothing(text):
    assert row_edits(text, 0, 0) == []


def test_values_below_a_key_that_says_so_are_changed():
    text = '{"values": [19, 20], "expected": 19.5}\n'
    (place,) = data_edits("cases.json", text, 0, 3)
    assert {edit.old for edit in place} == {"19.5"}


def test_a_file_is_read_where_its_name_or_its_stem_stands():
    assert is_read("data/gcd.json", "CASES = load(gcd.__name__)")
    assert is_read("data/out.txt", "open('data/out.txt')")
    assert not is_read("data/out.txt", "out = 1")
    assert not is_read("data/gcd.json", "gcdx = 1")
