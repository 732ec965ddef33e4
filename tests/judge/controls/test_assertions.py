"""Edits of tests: each excludes the original, and only statements that surely run are touched."""

import ast

import pytest

from debug_gym.judge.controls.assertions import Edits
from debug_gym.judge.controls.certain import certain_controls, control
from debug_gym.judge.controls.texts import apply


def variants(body, head="", **options):
    """(kind, text of the changed body) of all edits of a test."""
    text = f"{head}def test_a(x=None):\n" + "".join(f"    {line}\n" for line in body.splitlines())
    found = []
    for edit in Edits.of(text).of_test("t.py::test_a"):
        changed = apply(control("t.py::test_a", "t.py", edit), {"t.py": text})
        ast.parse(changed)
        assert changed != text
        found.append((edit.kind, changed.removeprefix(text[: text.index("):") + 3]).strip()))
    return found


@pytest.mark.parametrize(
    ("body", "opposite"),
    [
        ("assert f() == 4", "assert f() != 4"),
        ("assert a in b", "assert a not in b"),
        ("assert a is None", "assert a is not None"),
        ("assert not f(1)", "assert f(1)"),
        ("assert not (a or b)", "assert (a or b)"),
        ("assert f()", "assert not (f())"),
        ("assert a < b", "assert not (a < b)"),
        ("assert (a) == b", "assert not ((a) == b)"),
        ("self.assertIn(a, b)", "self.assertNotIn(a, b)"),
        ("self.assertTrue(a)", "self.assertFalse(a)"),
    ],
)
def test_conditions_become_their_opposites(body, opposite):
    assert ("opposite", opposite) in variants(body)


@pytest.mark.parametrize(
    "body",
    [
        "assert f() == 4",
        "assert f() == -0.25",
        "assert f() == 'some words'",
        "assert f() == b'some words'",
        "assert f() == [1, (2, 'b')]",
        "assert f() == {'a': True}",
        "assert f() == []",
        "assert f() == date(2024, 5, 6)",
        "assert f() == Money(1)",
        "assert f() == pytest.approx(3, abs=0.1)",
        "assert 4 == f()",
        "assert a and f() == 4",
        "want = 5\nassert f() == want",
        "self.assertEqual(f(), 4)",
        "self.assertAlmostEqual(f(), 0.5)",
        "self.assertCountEqual(f(), [1, 2])",
        "self.assertTrue(f() == 4)",
        "for x in (1, 2):\n    assert f(x) == 4",
    ],
)
def test_expected_values_are_changed(body):
    changed = [text for kind, text in variants(body) if kind == "value"]
    assert changed
    assert all("f(" in text for text in changed)


@pytest.mark.parametrize(
    "body", ["assert f() >= 4", "assert len(f()) < 3", "assert f('key') in ['a', 'b']", "assert f() != 4"]
)
def test_values_that_a_correct_fix_might_also_meet_are_left_alone(body):
    assert [kind for kind, _ in variants(body)] == ["opposite"]


def test_what_a_test_expects_to_be_raised():
    changed = variants("with pytest.raises(ValueError, match='wrong name'):\n    f()")
    assert [kind for kind, _ in changed] == ["error", "error"]
    assert len({text for _, text in changed}) == 2


@pytest.mark.parametrize(
    "body",
    [
        "if f(): assert g() == 4",
        "for x in f(): assert x == 4",
        "while f(): assert x == 4",
        "def inner(): assert f() == 4",
        "try: assert f() == 4\nexcept KeyError: pass",
        "if f(): return\nassert g() == 4",
        "with suppress(Exception): assert f() == 4",
        "with pytest.raises(f()): assert f() == 4",
    ],
)
def test_what_may_not_run_is_left_alone(body):
    assert variants(body) == []


LOOP = "def test_a(self=None):\n    for {} in {}:\n        assert f(n) == x\n"


@pytest.mark.parametrize(
    ("target", "rows"),
    [
        ("n, x", "CASES"),
        ("i, (n, x)", "enumerate(CASES)"),
        ("n, x", "BY_NAME.items()"),
        ("n, x", "sorted(BY_NAME.items())"),
        ("n", "range(3)"),
    ],
)
def test_a_loop_over_a_constant_gives_a_control_on_the_spot(target, rows):
    text = "CASES = [(1, 3), (2, 4)]\nBY_NAME = {'a': 3}\n" + LOOP.format(target, rows)
    (item,) = certain_controls(["t.py::test_a"], {"t.py": text})
    assert item.new == "f(n) != x"


@pytest.mark.parametrize(
    "text",
    [
        "CASES = []\n" + LOOP.format("n, x", "CASES"),
        "CASES = [(1, 3)]\nCASES.clear()\n" + LOOP.format("n, x", "CASES"),
        "CASES = [(1, 3)]\ndel CASES[0]\n" + LOOP.format("n, x", "CASES"),
        "CASES = [(1, 3)]\nCASES = load()\n" + LOOP.format("n, x", "CASES"),
        "CASES = [*load()]\n" + LOOP.format("n, x", "CASES"),
        "CASES = [(1, 3)]\n" + LOOP.replace("self", "CASES").format("n, x", "CASES"),
        "CASES = {**load()}\n" + LOOP.format("n, x", "CASES.items()"),
        LOOP.format("n", "range(0)"),
    ],
)
def test_a_loop_that_may_have_nothing_to_run_over_gives_none(text):
    assert certain_controls(["t.py::test_a"], {"t.py": text}) == ()


@pytest.mark.parametrize(
    "text",
    [
        "CASES = [(1, 3), (2, 4)]\n" + LOOP.format("n, x", "CASES"),
        LOOP.format("n, x", "[(1, 3), (2, 4)]"),
        LOOP.replace("    for", "    rows = ((1, 3), (2, 4))\n    for").format("n, x", "rows"),
    ],
)
def test_what_a_loop_over_rows_expects_is_changed(text):
    edits = Edits.of(text).of_test("t.py::test_a")
    assert {edit.old for edit in edits if edit.kind == "value"} == {"3", "4"}
    assert not any(edit.certain for edit in edits if edit.kind == "value")


def test_parameters_that_are_expected():
    head = "@pytest.mark.parametrize('x', [3, pytest.param(4, id='four')])\n"
    text = f"{head}def test_a(x):\n    assert f() == x\n"
    edits = Edits.of(text).of_test("t.py::test_a[four]")
    assert {edit.old for edit in edits if edit.kind == "value"} == {"3", "4"}


def test_rows_of_parameters_may_be_a_constant_of_the_module():
    text = "CASES = [(1, 3), (2, 4)]\n@pytest.mark.parametrize('n, x', CASES)\ndef test_a(n, x):\n    assert f(n) == x\n"
    edits = Edits.of(text).of_test("t.py::test_a[1-3]")
    assert {edit.old for edit in edits if edit.kind == "value"} == {"3", "4"}
    assert not any(
        edit.kind == "value" for edit in Edits.of(f"{text}\nprint(CASES)\n").of_test("t.py::test_a[1-3]")
    )


HELPERS = """\
from kit import near, same

def check(got, want, note=""):
    assert got == want, note

def at_least(got, want):
    assert got >= want

class TestA:
    def agree(self, a, b):
        self.assertEqual(a, b)

    def test_a(self):
        {}
"""


@pytest.mark.parametrize(
    "line",
    ["check(f(), 4)", "check(want=4, got=f())", "check(4, f())", "self.agree(f(), 4)", "same(f(), 4)"],
)
def test_what_a_helper_compares_is_changed(line):
    kit = "def same(a, b):\n    assert a == b\ndef near(a, b):\n    assert a == b\n    print(b)\n"
    edits = Edits.of(HELPERS.format(line), support=[kit, "def ("]).of_test("t.py::TestA::test_a")
    assert {edit.old for edit in edits if edit.kind == "value"} == {"4"}
    assert not any(edit.certain for edit in edits)


@pytest.mark.parametrize("line", ["at_least(f(), 4)", "near(f(), 4)", "other(f(), 4)", "check(*f(), 4)"])
def test_what_a_helper_may_do_more_with_is_left_alone(line):
    kit = "def near(a, b):\n    assert a == b\n    print(b)\ndef other(a, b):\n    assert a == b\n"
    assert not Edits.of(HELPERS.format(line), support=[kit]).of_test("t.py::TestA::test_a")


def test_what_a_mock_must_have_been_called_with():
    found = variants("f(m)\nm.send.assert_called_once_with('No. 1', count=3)")
    assert {kind for kind, _ in found} == {"value"}
    assert len(found) == 2
    assert variants("m.send.assert_any_call(3)") == []


def test_methods_are_found_and_broken_files_are_not():
    text = "class TestA:\n    def test_a(self): assert f() == 1\n"
    assert Edits.of(text).of_test("t.py::TestA::test_a")
    assert not Edits.of(text).of_test("t.py::test_a")
    assert Edits.of("def f(:") is None


def words_for(head, sources=()):
    text = f"{head}def test_a():\n    assert f() == 'lost'\n"
    edits = [
        edit
        for seed in range(20)
        for edit in Edits.of(text, seed, sources=sources, count=5).of_test("t::test_a")
    ]
    return {edit.new.strip("'") for edit in edits if edit.kind == "value" and edit.alike}


def test_words_take_the_place_of_words_that_are_used_alike():
    """Else what stands in the file, or in the sources, or in neither, would tell the original."""
    assert words_for("") == set()
    assert words_for("NAMES = ['late', 'gone', 'Late']\n") == set()
    assert words_for("NAMES = ['late', 'gone', 'Late', 'lost']\n") == {"late", "gone"}
    assert words_for("", ["found = 'early', 'lost'"]) == {"early"}
    assert words_for("", ["lost = 'early'"]) == set()
    assert words_for("NAMES = ['late', 'lost']\n", ["lost late"]) == {"late"}
    assert words_for("NAMES = ['late', 'lost']\n", ["lost"]) == set()


def test_controls_without_a_gold_patch_change_only_what_excludes_the_original():
    text = "def test_a():\n    assert f() == Money(3)\n"
    found = certain_controls(["t.py::test_a", "u.py::test_c"], {"t.py": text, "u.py": "?"})
    assert [(item.test, item.new) for item in found] == [("t.py::test_a", "f() != Money(3)")]


def test_controls_without_a_gold_patch_leave_parameters_as_they_are():
    text = "@pytest.mark.parametrize('x,y', [(3, 9), (2, 4)])\ndef test_p(x, y):\n    assert f(x) == y\n"
    (item,) = certain_controls(["t.py::test_p[3-9]", "t.py::test_p[2-4]"], {"t.py": text})
    assert item.test in {"t.py::test_p[3-9]", "t.py::test_p[2-4]"}
    assert (item.line, item.new) == (3, "f(x) != y")
