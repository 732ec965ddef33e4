"""``debug-gym validate --write-tests``: the tests that decide are found by running them."""

import sys

import pytest

from debug_gym.benchmarks.base import Benchmark
from debug_gym.benchmarks.folder import FolderBenchmark
from debug_gym.benchmarks.found import read_found
from debug_gym.checks.find_tests import find_tests, write_tests
from debug_gym.cli import main
from debug_gym.errors import TaskError
from debug_gym.task import FilesSource, Task, Tests

BROKEN = "def add(a, b):\n    return a - b\n"
GOLD = (
    "--- a/calc.py\n+++ b/calc.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n-    return a - b\n+    return a + b\n"
)
VISIBLE = "from calc import add\n\n\ndef test_zero():\n    assert add(1, 0) == 1\n"
HIDDEN = (
    "import pytest\nfrom calc import add\n\n\n@pytest.mark.parametrize('a', [0, 1])\ndef test_one(a):\n"
    "    assert add(a, 1) == a + 1\n\n\ndef test_wrong():\n    assert add(2, 2) == 5\n\n\n"
    "@pytest.mark.skip\ndef test_skipped():\n    assert add(1, 1) == 2\n"
)
LOOP = "def add(a, b):\n    while b < 0:\n        pass\n    return a + b\n"
LOOP_GOLD = "--- a/calc.py\n+++ b/calc.py\n@@ -1,4 +1,2 @@\n def add(a, b):\n-    while b < 0:\n-        pass\n     return a + b\n"
FLAKY = (
    "import random\nfrom calc import add\n\n\ndef test_add():\n    assert add(1, 1) == 2\n\n\n"
    "def test_luck():\n    assert add(1, 1) == 2 and random.random() < 0.5\n"
)


def task(code=BROKEN, gold=GOLD, visible=VISIBLE, **tests):
    return Task(
        id="sums",
        problem="Sums are wrong.",
        source=FilesSource(files={"calc.py": code, "test_calc.py": visible}),
        tests=Tests(**tests),
        gold_patch=gold,
    )


@pytest.mark.parametrize("visible", [(), ("test_calc.py",)])
def test_what_the_gold_patch_makes_pass_and_what_passes_anyway(backend, visible):
    sums = task(hidden={"tests/test_more.py": HIDDEN})
    sums = sums.model_copy(update={"tests": sums.tests.model_copy(update={"visible": visible})})
    found = find_tests(sums, backend, repeats=1)
    assert sorted(found.fail_to_pass) == [
        "tests/test_more.py::test_one[0]",
        "tests/test_more.py::test_one[1]",
    ]
    assert found.pass_to_pass == ("test_calc.py::test_zero",)  # neither the failing nor the skipped one


def test_a_program_that_never_ends_is_tested_test_by_test(backend):
    both = VISIBLE + "\n\ndef test_less():\n    assert add(1, -1) == 0\n"
    found = find_tests(task(LOOP, LOOP_GOLD, both, timeout=3), backend, repeats=1)
    assert found.fail_to_pass == ("test_calc.py::test_less",)
    assert found.pass_to_pass == ("test_calc.py::test_zero",)


def test_what_passes_by_luck_does_not_count(backend):
    found = find_tests(task(visible=FLAKY), backend, repeats=12)
    assert found.fail_to_pass == ("test_calc.py::test_add",)
    assert found.unstable == ("test_calc.py::test_luck",)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"gold": None}, "has no gold patch"),
        ({"visible": "import nothing_of_the_kind\n"}, "no test fails before the gold patch"),
        ({"visible": "import os\n\n\ndef test():\n    os._exit(0)\n"}, "do not run to their end"),
    ],
)
def test_tasks_without_tests_that_decide(backend, changed, problem):
    with pytest.raises(TaskError, match=problem):
        find_tests(task(**changed), backend, repeats=1)


def test_programs_of_unittest_have_ids_as_well(backend):
    case = (
        "import unittest\nfrom calc import add\n\n\nclass Sums(unittest.TestCase):\n"
        "    def test_add(self):\n        self.assertEqual(add(1, 1), 2)\n"
    )
    found = find_tests(task(visible=case, command=("python", "-m", "unittest")), backend, repeats=1)
    assert (found.fail_to_pass, found.pass_to_pass) == (("test_calc.Sums.test_add",), ())


@pytest.fixture
def folder(tmp_path):
    files = {
        "benchmark.yaml": "name: sums\n",
        "sums/task.yaml": "problem: Sums are wrong.\n",
        "sums/repo/calc.py": BROKEN,
        "sums/repo/test_calc.py": VISIBLE,
        "sums/hidden/tests/test_more.py": HIDDEN,
        "sums/gold.patch": GOLD,
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_a_folder_keeps_them_beside_the_task(folder, monkeypatch, capsys):
    before = FolderBenchmark(folder).state
    monkeypatch.setattr(sys, "argv", ["debug-gym", "validate", str(folder), "--write-tests", "--repeats=1"])
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, "1/1 tasks are sound" in capsys.readouterr().out) == (0, True)
    found = read_found(folder / "sums/tests.json")
    benchmark = FolderBenchmark(folder)
    assert benchmark.task("sums").tests.required == (*found.fail_to_pass, *found.pass_to_pass)
    assert benchmark.state != before
    (folder / "sums/tests.json").write_text("[1]")
    with pytest.raises(TaskError, match=r"tests\.json does not hold ids of tests"):
        FolderBenchmark(folder).task("sums")


class Sums(Benchmark):
    """Two tasks, one of which names its tests."""

    name, version, description = "sums-in-a-package", "1", ""

    def ids(self):
        return ("found", "named")

    def load(self, name):
        ids = ("test_calc.py::test_one",) if name == "named" else ()
        return task(
            visible="from calc import add\n\n\ndef test_one():\n    assert add(1, 1) == 2\n", fail_to_pass=ids
        )


def test_others_keep_them_in_the_cache_which_is_another_state(backend):
    assert Sums().state == "1"
    left_out = write_tests(Sums(), Sums().ids(), backend)
    assert left_out == {"named": "it names its tests itself"}
    assert Sums().state.startswith("1+")
    assert Sums().task("found").tests.fail_to_pass == ("test_calc.py::test_one",)
