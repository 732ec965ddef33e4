"""A task that names no tests: the hidden ones decide as well, in place of the visible ones that they hide."""

from debug_gym.judge import judge
from debug_gym.sandbox import Changes, FileEntry
from debug_gym.task import FilesSource, Task, Tests

HALF = "from calc import add\n\n\ndef test_zero():\n    assert add(0, 0) == 0\n"
FULL = HALF + "\n\ndef test_add():\n    assert add(1, 2) == 3\n"


def test_hidden_tests_decide(backend):
    task = Task(
        id="sums",
        problem="Sums are wrong.",
        source=FilesSource(files={"calc.py": "def add(a, b):\n    return a - b\n", "test_calc.py": HALF}),
        tests=Tests(hidden={"test_calc.py": FULL, "tests/test_more.py": FULL}),
    )
    verdict = judge(task, Changes(), backend)
    assert not verdict.resolved
    assert set(verdict.expected) == {
        f"{path}::{test}"
        for path in ("test_calc.py", "tests/test_more.py")
        for test in ("test_zero", "test_add")
    }
    fix = Changes(files={"calc.py": FileEntry(data=b"def add(a, b):\n    return a + b\n")})
    assert judge(task, fix, backend).resolved
