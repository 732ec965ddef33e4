"""The parts of the pipeline that need no sandbox."""

import ast

import pytest

from debug_gym.agents.repair.source import Source
from debug_gym.mining.base import FallenError, Story, is_source, is_test
from debug_gym.mining.duplicates import Known, fingerprint
from debug_gym.mining.hunks import apply_hunks, hunks, patch
from debug_gym.mining.licence import licence_of
from debug_gym.mining.mutators import mutants
from debug_gym.mining.reach import changed_functions
from debug_gym.mining.statement import statement
from debug_gym.mining.visible import split, without

OLD = "a = 1\nb = 2\nc = 3\nd = 4\n"
NEW = "a = 1\nb = 3\nc = 3\nd = 5\ne = 6\n"


def test_hunks_are_applied_one_by_one():
    old, new = {"m.py": OLD, "gone.py": "x\n"}, {"m.py": NEW, "new.py": "y\n"}
    parts = hunks(old, new)
    assert [part.path for part in parts] == ["gone.py", "m.py", "m.py", "new.py"]
    assert apply_hunks(old, new, parts) == {"m.py": NEW, "gone.py": None, "new.py": "y\n"}
    assert apply_hunks(old, new, parts[1:2])["m.py"] == OLD.replace("b = 2", "b = 3")
    assert apply_hunks(old, new, [])["m.py"] == OLD


def test_patches_apply(tmp_path):
    import subprocess

    (tmp_path / "m.py").write_text(OLD)
    (tmp_path / "gone.py").write_text("x\n")
    made = patch({"m.py": OLD, "gone.py": "x\n"}, {"m.py": NEW, "gone.py": None, "new.py": "y\n"})
    subprocess.run(["git", "apply", "-"], input=made, text=True, cwd=tmp_path, check=True)
    assert (tmp_path / "m.py").read_text() == NEW
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.py", "new.py"]


def test_tests_are_told_from_sources():
    assert all(map(is_test, ["tests/data/a.json", "pkg/tests/test_a.py", "conftest.py", "pkg/a_test.py"]))
    assert all(map(is_source, ["pkg/a.py", "src/pkg/testing_tools.py"]))
    assert not any(map(is_source, ["tests/a.py", "setup.py", "docs/conf.py", "README.md", "conftest.py"]))


TESTS = """\
import pytest


@pytest.mark.parametrize("x", [1, 2])
def test_a(x):
    assert x


class TestB:
    def test_c(self):
        assert 1


def test_d(): assert 2
"""


def test_tests_are_taken_out_of_a_file():
    left = without(TESTS, ["t.py::test_a[1]".partition("[")[0], "t.py::TestB::test_c"])
    assert left == "import pytest\n\n\nclass TestB:\n    pass\n\n\ndef test_d(): assert 2\n"


def test_half_of_the_failing_tests_is_shown():
    made = split(
        {"t.py": TESTS.encode()},
        ["t.py::test_a[1]", "t.py::test_a[2]", "t.py::test_d"],
        ["t.py::TestB::test_c"],
    )
    assert made.shown_failing == ("t.py::test_a[1]", "t.py::test_a[2]")
    assert "test_d" not in made.shown["t.py"] and "test_c" not in made.shown["t.py"]
    assert made.hidden == {"t.py": TESTS.encode()}
    assert split({"t.py": TESTS.encode()}, ["t.py::test_d"]).shown_failing == ()


GOLD = "--- a/m.py\n+++ b/m.py\n@@ -1 +1 @@\n-    return round(x)\n+    return int(x + threshold)\n"


def test_a_statement_tells_the_symptom():
    story = Story(
        "fix: the wrong totals of empty carts (#12)", "They are None.\n\nSigned-off-by: A <a@b>\nCloses #12"
    )
    said = statement(story, ["t.py::test_a"], [], "assert 1 == 2", GOLD)
    assert said.startswith(
        "Wrong totals of empty carts.\n\nThey are None.\n\n`t.py::test_a` fails:\n\n    assert 1 == 2\n"
    )
    assert "#12" not in said and "Signed" not in said


def test_a_statement_never_quotes_the_fix():
    story = Story("fix: totals", "Now it does  return int(x+threshold) instead. They were wrong.")
    said = statement(story, [], ["t.py::TestCart::test_total_of_halves"], "", GOLD)
    assert "threshold" not in said and "They were wrong." in said
    assert 'A test of "cart total of halves" fails.' in said
    with pytest.raises(FallenError, match="the statement quotes the fix"):
        statement(Story(), [f"t.py::test_a[{'return int(x + threshold)'}]"], [], "", GOLD)


def test_the_same_fix_elsewhere_is_a_duplicate():
    moved = (
        GOLD.replace("m.py", "n.py").replace("@@ -1 +1 @@", "@@ -7 +7 @@").replace("    return", "\treturn")
    )
    assert fingerprint(moved) == fingerprint(GOLD)
    known = Known()
    known.add("one", GOLD)
    known.add("one", GOLD)
    with pytest.raises(FallenError, match="another candidate is the same: one"):
        known.add("two", moved)
    with pytest.raises(FallenError, match="another benchmark has it"):
        Known([fingerprint(GOLD)]).add("three", moved)


@pytest.mark.parametrize(
    ("name", "text", "licence"),
    [
        ("LICENSE", "Permission is hereby granted, free of charge, to any person obtaining a copy", "MIT"),
        ("COPYING", "GNU GENERAL PUBLIC LICENSE\n   Version 3, 29 June 2007", "GPL-3.0"),
        ("pyproject.toml", '[project]\nlicense = "Apache-2.0 OR MIT"', "Apache-2.0 OR MIT"),
        (
            "setup.py",
            "classifiers=['License :: OSI Approved :: ISC License (ISCL)', ':: ISC License']",
            "ISC",
        ),
        ("README", "free software", ""),
    ],
)
def test_licences(tmp_path, name, text, licence):
    (tmp_path / name).write_text(text)
    assert licence_of(tmp_path) == licence


CODE = """\
import copy


class Cart:
    def __init__(self, items, limit=3):
        self.items = list(items)
        # kept for later
        self.limit = limit

    def first(self, name=None):
        if name is None and self.items:
            return sorted(self.items, key=len)[0]
        for item in self.items[1:]:
            if len(item) < self.limit:
                break
        return copy.copy(name)
"""


def test_mutants_compile_differ_and_leave_nothing_unused():
    found = list(mutants(Source("m.py", CODE), 1, 99))
    texts = [mutant.text for mutant in found]
    assert len(set(texts)) == len(texts) and CODE not in texts
    assert all(ast.parse(text) for text in texts)
    names = {mutant.mutator for mutant in found}
    assert names >= {"shared", "empty", "default", "off by one", "boundary", "condition", "key", "loop"}
    assert not any("copy.copy" not in text for text in texts)  # the import would be left
    assert not any("self.limit = limit" not in text for text in texts)  # the comment would tell
    assert any("self.items = items" in text for text in texts)


def test_the_functions_that_a_fix_changes():
    broken = {"m.py": CODE.replace("[1:]", "[2:]"), "new.py": None}
    assert changed_functions(broken, {"m.py": CODE, "new.py": "x = 1\n"}) == ["m.py:10"]
