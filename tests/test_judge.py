"""The judge: real fixes count, everything else does not."""

import pytest

from debug_gym.errors import SandboxUnavailableError
from debug_gym.judge import judge
from debug_gym.sandbox.base import Changes, FileEntry
from debug_gym.sandbox.process import ProcessBackend
from debug_gym.task import Tests

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
        _changes(calc=b"while True: pass\n"),
        Changes(deleted=("tests/test_calc.py",)),
        Changes(files={"calc.py": FileEntry(link="/tmp/other.py")}),
        Changes(files={"pytest.ini": FileEntry(data=b"[pytest]\naddopts = --co\n")}),
    ],
)
def test_what_is_no_fix(task, backend, changes):
    verdict = judge(task, changes, backend)
    assert not verdict.resolved
    assert verdict.reason


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
    assert judge(task, _changes(calc=FIXED), ProcessBackend(), allow_unsafe=True).resolved
