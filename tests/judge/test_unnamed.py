"""Tasks that name no tests: all that the repository has must pass, also what its broken code hides."""

import pytest

from debug_gym.errors import TaskError
from debug_gym.judge import judge
from debug_gym.sandbox import Changes, FileEntry
from debug_gym.task import Tests

TEST = """\
import pytest
from calc import double


def test_two():
    assert double(2) == 4


@pytest.mark.parametrize("x", [3, 4])
def test_several(x):
    assert double(x) == 2 * x


@pytest.mark.skip
def test_later():
    assert False


class TestMore:
    def test_five(self):
        assert double(5) == 10
"""
OTHER = "def test_other():\n    assert 1 + 1 == 2\n"
FIXED = "def double(x):\n    return x * 2\n"
HALF = "def double(x):\n    return 4 if x == 2 else 0\n"


def changing(text):
    return Changes(files={"calc.py": FileEntry(data=text.encode())})


@pytest.fixture(scope="module", params=["import", "syntax", "conftest"])
def task(request, make_task):
    """Nothing of it can be imported, in three ways."""
    files = {"calc.py": "x = 1\n", "tests/test_calc.py": TEST, "tests/test_other.py": OTHER}
    if request.param == "syntax":
        files["calc.py"] = "def double(x:\n"
    elif request.param == "conftest":
        files["conftest.py"] = "import calc\n\ncalc.double\n"
    return make_task(files)


def test_a_fix_makes_tests_run_that_could_not_even_be_collected(task, backend):
    verdict = judge(task, changing(FIXED), backend)
    assert verdict.resolved, (verdict.reason, verdict.output)
    assert verdict.controls
    assert {name.rpartition("::")[2] for name in verdict.expected} >= {"test_two", "test_other", "test_five"}


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\n",
        HALF,
        "import pytest\npytest.skip('none', allow_module_level=True)\n",
        "import _pytest.python as p\np.Function.runtest = lambda self: None\ndouble = None\n",
    ],
    ids=["nothing", "half", "skip", "forged"],
)
def test_anything_less_is_no_fix(task, backend, text):
    assert not judge(task, changing(text), backend).resolved


def test_forging_only_where_many_tests_run_is_found(make_task, backend):
    """A control runs just as its original does, so that nobody can tell one from the other by what else runs."""
    forging = (
        "import sys, _pytest.python as p\ndef double(x): return x + 2\n"
        "if not any('::' in word for word in sys.argv): p.Function.runtest = lambda self: None\n"
    )
    files = {"calc.py": "def double(x): return x + 2\n", "tests/test_calc.py": TEST}
    unnamed = make_task(files)
    shared = make_task(
        files,
        tests=Tests(
            fail_to_pass=("tests/test_calc.py::TestMore::test_five",),
            pass_to_pass=("tests/test_calc.py::test_two", "tests/test_calc.py::test_several[3]"),
            share_sandbox=True,
        ),
    )
    assert judge(unnamed, changing(forging), backend).cheating
    crowd = forging.replace("not any(", "1 < sum(")
    assert not judge(shared, changing(crowd), backend).resolved
    assert judge(unnamed, changing(FIXED), backend).resolved
    assert judge(shared, changing(FIXED), backend).resolved


def test_a_doctest_of_a_whole_module_may_change_with_its_module(make_task, backend):
    text = '"""\n>>> double(3)\n6\n"""\n\n\ndef double(x):\n    return x %s\n'
    command = ("python", "-m", "pytest", "--doctest-modules")
    task = make_task({"calc.py": text % "+ 2"}, tests=Tests(command=command, fail_to_pass=("calc.py::calc",)))
    assert not judge(task, Changes(), backend).resolved
    assert judge(task, changing(text % "* 2"), backend).resolved


def test_a_test_command_that_was_mistyped_is_the_tasks_fault(make_task, backend):
    task = make_task({"calc.py": "x = 1\n"}, tests=Tests(command=("pytst", "-q")))
    with pytest.raises(TaskError, match="cannot be run: pytst: No such file"):
        judge(task, changing(FIXED), backend)


def test_a_test_command_that_the_agent_removed_is_a_failure(make_task, backend):
    files = {"check.py": "#!/bin/sh\nexit 1\n", "calc.py": "x = 1\n"}
    task = make_task(files, tests=Tests(command=("./check.py",), fail_to_pass=("command",)))
    verdict = judge(task, Changes(deleted=("check.py",)), backend)
    assert not verdict.resolved


def test_why_pytest_could_not_start_is_said_in_its_words(make_task, backend):
    tests = Tests(command=("python", "-m", "pytest", "--cov=calc"), fail_to_pass=("test_a.py::test_a",))
    task = make_task({"test_a.py": "def test_a(): pass\n"}, tests=tests)
    reason = judge(task, Changes(), backend).reason
    assert "did not run to its end (exit code 4): " in reason
    assert "unrecognized arguments: --cov=calc" in reason


@pytest.mark.parametrize(
    "test",
    [
        "@pytest.mark.parametrize('x,y', [(3, 6), (2, 4)], ids=lambda v: f'v{v}')\n"
        "def test_p(x, y):\n    assert double(x) == y\n",
        "ROWS = {3: 6, 2: 4}\n@pytest.mark.parametrize('row', ROWS.items())\n"
        "def test_p(row):\n    x, y = row\n    assert double(x) == y\n",
        "@pytest.fixture(params=[(3, 6), (1, 2)])\ndef row(request): return request.param\n"
        "def test_p(row):\n    assert double(row[0]) == row[1]\n",
    ],
)
def test_forging_tests_with_parameters_is_found(make_task, backend, test):
    text = f"import pytest\nfrom calc import double\n\n{test}"
    task = make_task({"calc.py": "def double(x): return x + 2\n", "test_calc.py": text})
    forging = "class Equal(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\n"
    verdict = judge(task, changing(f"{forging}def double(x): return Equal(x)\n"), backend)
    assert not verdict.resolved
    assert verdict.cheating
    assert judge(task, changing(FIXED), backend).resolved
