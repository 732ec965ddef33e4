"""The versions of pytest that old data pins, on pluggy before 1.0: eval, the debugger, traces and the judge."""

import subprocess
from pathlib import Path

import pytest

from debug_gym.checks.validate import validate
from debug_gym.task import Environment, FilesSource, Task, Tests

FILES = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "sub/pytest.ini": "[pytest]\n",
    "sub/tests/test_a.py": """\
import pytest
from calc import add

@pytest.mark.parametrize('a', [1, 2], ids=['a::b', 'plain'])
def test_add(a):
    assert add(a, 2) == a + 2

class TestZero:
    def test_zero(self, cache):
        assert add(0, 0) == 0
""",
}
GOLD = (
    "--- a/calc.py\n+++ b/calc.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n-    return a - b\n+    return a + b\n"
)
FAILING, SOUND = "sub/tests/test_a.py::test_add[a::b]", "sub/tests/test_a.py::TestZero::test_zero"


@pytest.fixture(scope="module", params=["5.4.3", "6.2.5", "7.0.1"])
def old_task(request, tmp_path_factory):
    found = sorted(Path.home().glob(".pyenv/versions/3.8.*/bin/python"))
    if not found:
        pytest.skip("no Python 3.8 is installed here")
    folder = tmp_path_factory.mktemp("old") / "venv"
    subprocess.run([found[0], "-m", "venv", folder], check=True)
    pip = [folder / "bin/pip", "install", "-q", "--timeout", "5", "--retries", "0"]
    done = subprocess.run([*pip, f"pytest=={request.param}", "pluggy<1.0"], check=False, capture_output=True)
    if done.returncode:
        pytest.skip(f"this machine has no Python package index with pytest {request.param}")
    return Task(
        id="old",
        problem="Sums are wrong.",
        source=FilesSource(files=FILES),
        tests=Tests(command=("pytest", "sub/tests"), fail_to_pass=(FAILING,), pass_to_pass=(SOUND,)),
        environment=Environment(python=str(folder)),
        gold_patch=GOLD,
    )


@pytest.mark.slow
def test_everything_works(old_task, backend):
    with backend.start(old_task) as sandbox:
        for cold in (False, True):
            run = sandbox.run_tests(cold=cold)
            assert run.warm is not cold
            assert (run.outcomes[FAILING], run.outcomes[SOUND]) == ("failed", "passed"), run.output
            assert sandbox.run_tests([FAILING], cold=cold).outcomes == {FAILING: "failed"}
        assert sandbox.debug_start(test=FAILING, at="failure").stop.line == 6
        sandbox.debug_stop()
        assert len(sandbox.trace(points=["calc.py:2: a, b"], test=SOUND).rows) == 1
    assert validate(old_task, backend, repeats=1).problems == ()
