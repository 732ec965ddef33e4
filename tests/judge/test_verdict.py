"""The judge: real fixes count, everything else does not."""

import pytest

from debug_gym.errors import SandboxUnavailableError, TaskError
from debug_gym.judge import judge
from debug_gym.sandbox import Changes, FileEntry
from debug_gym.sandbox.process import ProcessBackend
from debug_gym.task import NegativeControl, Tests

SOURCE = {
    "calc.py": "def double(x):\n    return x + 2\n",
    "tests/test_calc.py": "from calc import double\ndef test_two(): assert double(2) == 4\n",
}
TESTS = Tests(
    hidden={"tests/test_hidden.py": "from calc import double\ndef test_three(): assert double(3) == 6\n"},
    fail_to_pass=("tests/test_hidden.py::test_three",),
    pass_to_pass=("tests/test_calc.py::test_two",),
    timeout=10,
)
FIXED = b"def double(x):\n    return x * 2\n"


@pytest.fixture(scope="module")
def task(make_task):
    return make_task(SOURCE, tests=TESTS)


def _changes(**files):
    return Changes(
        files={path.replace("__", "/") + ".py": FileEntry(data=data) for path, data in files.items()}
    )


def test_a_real_fix(task, backend):
    verdict = judge(task, _changes(calc=FIXED), backend)
    assert verdict.resolved
    assert (verdict.fail_to_pass, verdict.pass_to_pass) == (1.0, 1.0)
    assert verdict.changed == ("calc.py",)


def test_nothing_changed(task, backend):
    verdict = judge(task, Changes(), backend)
    assert not verdict.resolved
    assert (verdict.fail_to_pass, verdict.pass_to_pass) == (0.0, 1.0)
    assert "1 of 2 required tests" in verdict.reason


def test_a_fix_that_breaks_something_else(task, backend):
    verdict = judge(task, _changes(calc=b"def double(x):\n    return 6\n"), backend)
    assert not verdict.resolved
    assert (verdict.fail_to_pass, verdict.pass_to_pass) == (1.0, 0.0)


@pytest.mark.parametrize(
    "changes",
    [
        _changes(tests__test_hidden=b"def test_three(): pass\n"),
        _changes(tests__test_calc=b"def test_two(): pass\n", tests__test_hidden=b"def test_three(): pass\n"),
        _changes(
            conftest=b"import pytest\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_pyfunc_call(): yield\n"
        ),
        _changes(sitecustomize=b"import os; os._exit(0)\n"),
        _changes(calc=b"import os\nprint('2 passed')\nos._exit(0)\n"),
        _changes(calc=b"import pytest\npytest.exit('fine', returncode=0)\n"),
        _changes(calc=b"import pytest\npytest.skip('not today', allow_module_level=True)\n"),
        Changes(deleted=("tests/test_calc.py",)),
        Changes(files={"calc.py": FileEntry(link="/tmp/other.py")}),
        Changes(files={"pytest.ini": FileEntry(data=b"[pytest]\naddopts = --co\n")}),
    ],
)
def test_what_is_no_fix(task, backend, changes):
    verdict = judge(task, changes, backend)
    assert not verdict.resolved
    assert verdict.reason


def test_a_hang_ends_with_the_time_limit(make_task, backend):
    short = make_task(SOURCE, tests=TESTS.model_copy(update={"timeout": 1.0}))
    verdict = judge(short, _changes(calc=b"while True: pass\n"), backend)
    assert not verdict.resolved
    assert "did not end within their time limit" in verdict.reason


def test_files_that_do_not_count_are_listed(task, backend):
    changes = Changes(
        files={"calc.py": FileEntry(data=FIXED), "conftest.py": FileEntry(data=b"raise SystemExit\n")},
        deleted=("tests/test_calc.py",),
        skipped=("pipe: not a regular file",),
    )
    verdict = judge(task, changes, backend)
    assert verdict.resolved
    assert [entry.split(":")[0] for entry in verdict.rejected] == [
        "conftest.py",
        "pipe",
        "tests/test_calc.py",
    ]


def test_without_named_tests_all_must_pass(make_task, backend):
    task = make_task(
        SOURCE | {"tests/test_more.py": "from calc import double\ndef test_m(): assert double(5) == 10\n"}
    )
    assert judge(task, _changes(calc=FIXED), backend).resolved
    unsolved = judge(task, Changes(), backend)
    assert not unsolved.resolved
    assert set(unsolved.seen.values()) == {"passed", "failed"}


def test_a_command_that_is_not_pytest(make_task, backend):
    task = make_task(
        {"check.sh": "grep -q fixed a.py\n", "a.py": ""}, tests=Tests(command=("sh", "check.sh"))
    )
    assert not judge(task, Changes(), backend).resolved
    assert judge(task, _changes(a=b"# fixed\n"), backend).resolved


def test_a_backend_without_isolation_is_refused(task):
    with pytest.raises(SandboxUnavailableError, match="network"):
        judge(task, Changes(), ProcessBackend())
    tests = TESTS.model_copy(update={"fail_to_pass": TESTS.required[:1], "pass_to_pass": ()})
    short = task.model_copy(update={"tests": tests})
    assert judge(short, _changes(calc=FIXED), ProcessBackend(), allow_unsafe=True).resolved


def test_each_test_has_a_sandbox_of_its_own_unless_the_task_says_otherwise(make_task, backend):
    test = "import pathlib\nMARK = pathlib.Path('/tmp/mark')\n"
    test += "".join(f"def test_{i}():\n    assert not MARK.exists()\n    MARK.touch()\n" for i in range(2))
    ids = ("tests/test_a.py::test_0", "tests/test_a.py::test_1")
    files = {"a.py": "", "tests/test_a.py": test}
    alone = judge(make_task(files, tests=Tests(fail_to_pass=ids)), Changes(), backend)
    assert alone.resolved
    shared = judge(make_task(files, tests=Tests(pass_to_pass=ids, share_sandbox=True)), Changes(), backend)
    assert sorted(shared.seen.values()) == ["failed", "passed"]


def test_unstable_tests_do_not_count_and_are_named(make_task, backend):
    ids = ("tests/test_a.py::test_good", "tests/test_a.py::test_coin")
    files = {"a.py": "", "tests/test_a.py": "def test_good(): pass\ndef test_coin(): assert 0\n"}
    tests = Tests(fail_to_pass=ids, unstable=ids[1:])
    verdict = judge(make_task(files, tests=tests), Changes(), backend)
    assert (verdict.resolved, verdict.excluded, verdict.fail_to_pass) == (True, ids[1:], 1.0)
    assert list(verdict.seen) == [ids[0]]


def test_what_was_skipped_before_may_stay_skipped(make_task, backend):
    text = (
        "import pytest\nfrom calc import double\ndef test_two(): assert double(2) == 4\n"
        "@pytest.mark.skip\ndef test_windows(): assert 0\n"
    )
    task = make_task({"calc.py": SOURCE["calc.py"], "tests/test_calc.py": text})
    verdict = judge(task, _changes(calc=FIXED), backend)
    assert verdict.resolved
    assert verdict.expected["tests/test_calc.py::test_windows"] == "skipped"


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("import pytest\n    pytest.skip('later')", "skipped"),
        ("import pytest\n    pytest.xfail('later')", "xfailed"),
        ("import os\n    os._exit(0)", "missing"),
    ],
)
def test_a_named_test_must_pass_and_nothing_else(make_task, backend, body, outcome):
    source = f"def double(x):\n    {body}\n"
    task = make_task({**SOURCE, "calc.py": source}, tests=TESTS)
    verdict = judge(task, Changes(), backend)
    assert not verdict.resolved
    assert set(verdict.seen.values()) == {outcome}
    assert not verdict.cheating


def test_a_task_that_brings_no_controls_gets_controls_all_the_same(task, backend):
    verdict = judge(task, _changes(calc=FIXED), backend)
    assert verdict.controls == 2
    assert verdict.odds == 1.0
    assert verdict.doubts[0].startswith("nothing bounds the chance")
    patch = b"\nimport _pytest.python as python\npython.Function.runtest = lambda self: None\n"
    forged = judge(task, _changes(calc=SOURCE["calc.py"].encode() + patch), backend)
    assert not forged.resolved
    assert "also passes with the opposite expectation" in forged.cheating[0]
    assert forged.reason.startswith("the results are forged: ")


def test_a_control_that_fits_no_file_is_an_error(task, backend):
    control = NegativeControl(
        test=TESTS.required[0], path="tests/test_hidden.py", line=2, column=0, old="nothing", new="4"
    )
    tests = TESTS.model_copy(update={"controls": (control,)})
    with pytest.raises(TaskError, match="--write-controls"):
        judge(task.model_copy(update={"tests": tests}), Changes(), backend)


def test_data_that_a_test_compares_with_may_not_change(make_task, backend):
    test = "from calc import double\ndef test_a(): assert str(double(3)) == open('expected.txt').read()\n"
    files = {"calc.py": SOURCE["calc.py"], "expected.txt": "6", "tests/test_a.py": test}
    control = NegativeControl(
        test="tests/test_a.py::test_a", path="expected.txt", line=1, column=0, old="6", new="8"
    )
    task = make_task(
        files, tests=Tests(fail_to_pass=(control.test,), controls=(control,)), editable=("*.py", "*.txt")
    )
    cheat = judge(task, Changes(files={"expected.txt": FileEntry(data=b"5")}), backend)
    assert not cheat.resolved
    assert cheat.rejected == ("expected.txt: it holds tests that decide",)
    fixed = judge(task, _changes(calc=FIXED), backend)
    assert (fixed.resolved, fixed.controls) == (True, 1)


def test_a_doctest_may_decide_about_the_file_that_holds_it(make_task, backend):
    text = 'def double(x):\n    """\n    >>> double(3)\n    6\n    """\n    return x %s\n'
    tests = Tests(
        command=("python", "-m", "pytest", "--doctest-modules"), fail_to_pass=("calc.py::calc.double",)
    )
    task = make_task({"calc.py": text % "+ 2"}, tests=tests)
    assert not judge(task, Changes(), backend).resolved
    assert judge(task, _changes(calc=(text % "* 2").encode()), backend).resolved


def test_changes_that_do_not_fit_over_the_repository_are_no_fix(make_task, backend):
    """A folder where a file is that may not be deleted: a verdict, not a failure of the judge."""
    files = {"data.txt": "x\n", "calc.py": "x = 1\n", "test_a.py": "def test_a(): assert False\n"}
    task = make_task(files, tests=Tests(fail_to_pass=("test_a.py::test_a",)))
    verdict = judge(task, Changes(files={"data.txt/new.py": FileEntry(data=b"")}), backend)
    assert not verdict.resolved
    assert verdict.seen == {"test_a.py::test_a": "missing"}
