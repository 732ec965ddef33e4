"""Controls of a benchmark: each fails with the gold patch, for the right reason."""

from debug_gym.judge import judge
from debug_gym.judge.controls.make import check_controls, make_controls
from debug_gym.sandbox import Changes, FileEntry
from debug_gym.task import Tests

FILES = {"calc.py": "def double(x):\n    return x + 2\n"}
HIDDEN = """\
import pytest
from datetime import date
from calc import double

def test_first():
    assert double(2) == 4
    assert double(5) == 10
    assert double(7) == 14

def test_kept():
    assert double(2) == 4

def test_told():
    seen = []
    seen.append("first")
    assert seen == ["first"]

@pytest.mark.parametrize("x, want", [(3, 6), (4, 8)])
def test_table(x, want):
    assert double(x) == want

def test_dates():
    assert date(2024, 1, double(3)) == date(2024, 1, 6)
"""
IDS = tuple(f"tests/test_h.py::test_{name}" for name in ("first", "table[3-6]", "table[4-8]", "dates"))
TESTS = Tests(
    hidden={"tests/test_h.py": HIDDEN},
    fail_to_pass=IDS,
    pass_to_pass=("tests/test_h.py::test_kept", "tests/test_h.py::test_told"),
    timeout=10,
)
GOLD = Changes(files={"calc.py": FileEntry(data=b"def double(x):\n    return x * 2\n")})


def test_controls_of_a_small_task(make_task, backend):
    task = make_task(FILES, tests=TESTS)
    controls = make_controls(task, GOLD, backend)
    assert {control.test for control in controls} == set(TESTS.required)
    first = [control for control in controls if control.test == IDS[0]]
    assert min(control.line for control in first if control.sharp) == 7  # line 6 passes with the broken code
    table = [control for control in controls if control.test == IDS[1]]
    assert all(control.sharp and control.old == "6" for control in table)
    assert {control.id for control in table} == {
        f"tests/test_h.py::test_table[3-{item.new}]" for item in table
    }
    assert not any(control.sharp for control in controls if control.test in TESTS.pass_to_pass)
    (removal,) = (control.old for control in controls if not control.new)
    assert removal.startswith("seen.append(")
    with_controls = task.model_copy(update={"tests": TESTS.model_copy(update={"controls": controls})})
    assert check_controls(with_controls, GOLD, backend) == []
    verdict = judge(with_controls, GOLD, backend)
    assert verdict.resolved
    assert verdict.controls >= 24
    assert verdict.odds < 1e-3


def test_the_same_task_gives_the_same_controls(make_task, backend):
    tests = TESTS.model_copy(update={"fail_to_pass": (), "pass_to_pass": (*IDS[1:], *TESTS.pass_to_pass)})
    task = make_task(FILES, tests=tests)
    assert make_controls(task, GOLD, backend) == make_controls(task, GOLD, backend) != ()


def test_a_control_that_passes_with_the_gold_patch_is_told(make_task, backend):
    task = make_task(FILES, tests=TESTS)
    good = make_controls(task, GOLD, backend)[0]
    bad = good.model_copy(update={"new": good.old})
    tests = TESTS.model_copy(update={"controls": (good, bad)})
    (problem,) = check_controls(task.model_copy(update={"tests": tests}), GOLD, backend)
    assert problem.endswith("does not fail with the gold patch")


def test_a_command_that_is_not_pytest_has_no_controls(make_task, backend):
    tests = Tests(command=("sh", "check.sh"), fail_to_pass=("command",))
    task = make_task({"check.sh": "grep -q fixed a.py\n", "a.py": ""}, tests=tests)
    assert make_controls(task, GOLD, backend) == ()
    fixed = judge(task, Changes(files={"a.py": FileEntry(data=b"# fixed\n")}), backend)
    assert (fixed.resolved, fixed.controls) == (True, 0)


ROWS = """\
import json
import pathlib
import pytest
from calc import double

CASES = [json.loads(line) for line in (pathlib.Path(__file__).parent / "double.json").open()]

@pytest.mark.parametrize("given, want", CASES)
def test_rows(given, want):
    assert double(*given) == want
"""


def test_tests_that_read_their_rows_from_a_file_have_sharp_controls(make_task, backend):
    """Each of them in its own row, so that no other test fails with it."""
    rows = "".join(f"[[{x}], {2 * x}]\n" for x in (13, 24, 48))
    ids = tuple(f"tests/test_r.py::test_rows[given{i}-{2 * x}]" for i, x in enumerate((13, 24, 48)))
    tests = Tests(hidden={"tests/test_r.py": ROWS, "tests/double.json": rows}, fail_to_pass=ids, timeout=10)
    task = make_task(FILES, tests=tests)
    controls = make_controls(task, GOLD, backend)
    assert {item.test for item in controls if item.sharp} == {*ids}
    assert all(item.path == "tests/double.json" and item.id != item.test for item in controls)
    with_controls = task.model_copy(update={"tests": tests.model_copy(update={"controls": controls})})
    verdict = judge(with_controls, GOLD, backend)
    assert verdict.resolved, verdict.reason
    assert verdict.odds < 1e-3
    forged = b"import _pytest.python as p\np.Function.runtest = lambda self: None\ndouble = None\n"
    assert judge(with_controls, Changes(files={"calc.py": FileEntry(data=forged)}), backend).cheating
