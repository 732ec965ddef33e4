"""The verdict of a benchmark's own harness: what it runs, and on what."""

import pytest

from debug_gym.judge import judge
from debug_gym.judge.harness import harness_verdict
from debug_gym.sandbox import Changes, FileEntry
from debug_gym.task import Harness, Tests

TEST = "from calc import add\n\ndef test_add():\n    assert add(1, 2) == 3\n"
FIX = FileEntry(data=b"def add(a, b):\n    return a + b\n")


@pytest.fixture
def task(make_task):
    """A wrong sum, whose home asks for what pytest prints."""

    def make(**columns):
        values = {
            "script": "python -m pytest -rA test_calc.py",
            "fail_to_pass": ("test_calc.py::test_add",),
            **columns,
        }
        files = {"calc.py": "def add(a, b):\n    return a - b\n", "test_calc.py": TEST}
        return make_task(
            files,
            tests=Tests(fail_to_pass=("test_calc.py::test_add",)),
            harness=Harness(name="home", parser="pytest", rule="swe-bench", **values),
        )

    return make


def test_both_are_told(task, backend):
    verdict = judge(task(), Changes(files={"calc.py": FIX}), backend)
    assert (verdict.resolved, verdict.harness.name, verdict.harness.resolved) == (True, "home", True)
    assert judge(task(), Changes(), backend, harness=False).harness is None


@pytest.mark.parametrize(("restored", "resolved"), [((), True), (("test_calc.py",), False)])
def test_changes_of_tests_count_where_they_are_not_taken_back(task, backend, restored, resolved):
    changes = Changes(files={"test_calc.py": FileEntry(data=b"def test_add(): pass\n")})
    assert harness_verdict(task(restored=restored), changes, backend).resolved == resolved


def test_a_test_file_that_was_deleted_is_there_again(task, backend):
    changes = Changes(files={"calc.py": FIX}, deleted=("test_calc.py",))
    assert not harness_verdict(task(), changes, backend).resolved
    assert harness_verdict(task(restored=("test_calc.py",)), changes, backend).resolved


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            "no-such-program",
            "no test is in its log, which ends: bash: line 1: no-such-program: command not found",
        ),
        ("true", "its log is empty"),
        (
            "echo PASSED test_calc.py::test_add; false",
            "the tests ended with 1 and none is said to have failed",
        ),
        ("echo '>>>>> Tests Timed Out'", "its log holds the words of a run that failed"),
        ("sleep 60", "its tests ran out of time"),
    ],
)
def test_why_it_is_not_resolved_is_told(task, backend, script, said):
    verdict = harness_verdict(
        task(script=script, timeout=1.0 if script.startswith("sleep") else 60.0),
        Changes(files={"calc.py": FIX}),
        backend,
    )
    assert (verdict.resolved, verdict.reason) == (False, said)
