"""Hundreds of required tests: judged in about the time that it takes to run them, whatever is wrong."""

import random
from collections import Counter

import pytest

from debug_gym.judge import judge
from debug_gym.judge.controls.sample import Drawn, draw, function_of
from debug_gym.judge.plan import MANY, Plan
from debug_gym.sandbox import Changes, FileEntry
from debug_gym.task import DirectorySource, NegativeControl, Task, Tests

FILES, PER_FILE = 24, 10
IDS = tuple(f"tests/test_{n:02}.py::test_{i}" for n in range(FILES) for i in range(PER_FILE))
BROKEN, FIXED = "def times(x, y):\n    return x + y\n", b"def times(x, y):\n    return x * y\n"
FAILING = "tests/test_00.py::test_9"


def _test_file(number):
    """Ten tests; the last one of the first file shows the bug."""
    factor = 9 if number == 0 else 2
    lines = [f"def test_{i}(): assert times(2, 2) == 4" for i in range(PER_FILE - 1)]
    return "\n".join(
        ["from calc import times", *lines, f"def test_9(): assert times({factor}, 2) == {factor * 2}"]
    )


FOLDER = {"calc.py": BROKEN, **{f"tests/test_{n:02}.py": _test_file(n) for n in range(FILES)}}


class Counting:
    """A backend that counts the sandboxes it starts."""

    def __init__(self, backend):
        self.backend, self.started = backend, 0
        self.name, self.guarantees = backend.name, backend.guarantees

    def start(self, task):
        self.started += 1
        return self.backend.start(task)


@pytest.fixture
def counting(backend):
    return Counting(backend)


@pytest.fixture(scope="module")
def task(make_task):
    kept = tuple(test for test in IDS if test != FAILING)
    return make_task(FOLDER, tests=Tests(fail_to_pass=(FAILING,), pass_to_pass=kept, timeout=20))


def _change(path, data):
    return Changes(files={path: FileEntry(data=data)})


def test_a_fix_passes_in_two_rounds(task, counting):
    verdict = judge(task, _change("calc.py", FIXED), counting)
    assert verdict.resolved and verdict.controls == 3
    assert len(verdict.seen) == len(IDS)
    assert counting.started == 3  # the original repository, and the rounds


@pytest.mark.parametrize(
    "end", [b"import os; os._exit(1)", b"os.kill(os.getpid(), 11)", b"1 / 0"], ids=["exit", "signal", "error"]
)
def test_where_one_test_ends_the_session_few_more_runs_find_out(task, counting, end):
    trap = b"import os\n\n\ndef times(x, y):\n    if x == 9:\n        " + end + b"\n    return x * y\n"
    verdict = judge(task, _change("calc.py", trap), counting)
    assert not verdict.resolved
    assert counting.started < 8


def test_where_nothing_can_be_imported_one_more_run_finds_out(task, counting):
    verdict = judge(task, _change("calc.py", b"def times(\n"), counting)
    assert not verdict.resolved and verdict.reason.startswith(f"{len(IDS)} of {len(IDS)} required tests")
    assert counting.started <= 4  # what the untouched repository answers may be known


def test_tests_that_another_one_disturbs_run_again_together(make_task, counting):
    """They fail beside it, and do not need a sandbox each."""
    files = {
        **FOLDER,
        "tests/test_zz.py": "\n".join(
            f"def test_{i}(): assert __import__('os').getenv('X') is None" for i in range(50)
        ),
    }
    files["tests/test_00.py"] += "\ndef test_trace():\n    __import__('os').environ['X'] = '1'\n"
    others = tuple(f"tests/test_zz.py::test_{i}" for i in range(50))
    kept = (*(test for test in IDS if test != FAILING), "tests/test_00.py::test_trace", *others)
    tests = Tests(fail_to_pass=(FAILING,), pass_to_pass=kept, timeout=20)
    verdict = judge(make_task(files, tests=tests), _change("calc.py", FIXED), counting)
    assert verdict.resolved, verdict.reason
    assert counting.started < 12


def planned(seed, others=3, required=IDS):
    texts = {path: text for path, text in FOLDER.items() if path.startswith("tests/")}
    controls = tuple(
        NegativeControl(
            test=test, path=path, line=2, column=texts[path].split("\n")[1].index("== ") + 3, old="4", new="5"
        )
        for path in sorted(texts)[1 : others + 1]
        for test in [f"{path}::test_0"]
    )
    task = Task(id="a", problem="", source=DirectorySource(path="/"), tests=Tests(pass_to_pass=required))
    drawn = draw(task, controls, required)
    assert isinstance(drawn, Drawn) and len(drawn.others) == others
    return Plan(task, required, drawn, texts, random.Random(seed)), drawn


def test_tests_without_controls_are_dealt_out_to_rounds_that_have_one_each():
    counts = Counter()
    for seed in range(200):
        plan, drawn = planned(seed)
        rounds = plan.rounds()
        assert len(rounds) == 2 and all(trial.controls for trial in rounds)
        controlled = {function_of(control.test) for control in drawn.others}
        for test in IDS:
            ran = [trial for trial in rounds if test in trial.tests]
            assert len(ran) == (2 if test in controlled else 1)
            assert any(test in trial.originals for trial in ran)
        counts.update(len(trial.controls) for trial in rounds)
        counts["first"] += IDS[0] in rounds[0].tests
    assert counts[1] == counts[2] == 200
    assert 70 < counts["first"] < 130


@pytest.mark.parametrize(("others", "required"), [(1, IDS), (3, IDS[: MANY - 1])])
def test_where_a_round_would_have_no_control_or_tests_are_few_all_run_in_both(others, required):
    plan, _ = planned(0, others, required)
    assert [sorted(trial.tests) for trial in plan.rounds()] == [sorted(required)] * 2
