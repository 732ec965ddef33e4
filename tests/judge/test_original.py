"""What a verdict finds out about the untouched repository, the next ones on the same task know."""

import time

from debug_gym.judge import judge
from debug_gym.sandbox import Changes, FileEntry
from debug_gym.sandbox.pinning import pinned
from debug_gym.task import Tests

TEST = """\
from calc import double


def test_two():
    assert double(2) == 4
"""
FIX = Changes(files={"calc.py": FileEntry(data=b"def double(x):\n    return x * 2\n")})


class Counting:
    """A backend that counts its sandboxes."""

    def __init__(self, backend):
        self.name, self.guarantees, self._backend = backend.name, backend.guarantees, backend
        self.started = 0

    def start(self, task):
        self.started += 1
        return self._backend.start(task)


def test_the_next_verdict_starts_sandboxes_for_its_trials_alone(backend, make_task):
    files = {"calc.py": "def double(x):\n    return x * x * x\n", "test_calc.py": TEST}
    for tests, of_its_own in ((Tests(fail_to_pass=("test_calc.py::test_two",)), 1), (Tests(), 2)):
        task = make_task(files, tests=tests)
        first, second = Counting(backend), Counting(backend)
        verdicts = [judge(task, FIX, first), judge(task, FIX, second)]
        assert [(verdict.resolved, verdict.controls) for verdict in verdicts] == [(True, 1), (True, 1)]
        assert first.started == second.started + of_its_own


def test_a_folder_that_was_rewritten_is_read_again(backend, make_task):
    task = make_task(
        {"calc.py": "", "test_calc.py": TEST}, tests=Tests(fail_to_pass=("test_calc.py::test_two",))
    )
    assert judge(task, FIX, backend).controls == 1
    before = pinned(task)
    (task.source.path / "test_calc.py").write_text("# one more line\n" + TEST)
    while pinned(task) == before:
        time.sleep(0.01)
    verdict = judge(task, FIX, backend)
    assert (verdict.resolved, verdict.controls) == (True, 1), verdict.reason
