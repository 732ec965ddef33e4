"""Which runner takes which command, what it runs, and how a sandbox does it."""

import pytest

from debug_gym.errors import ConfigError, TaskError, UnknownNameError
from debug_gym.runners import Program, PytestSession, runner_of
from debug_gym.task import FilesSource, Task, Tests

CALC = "def add(a, b):\n    return a - b\n\n\ndef twice(a):\n    return a * 2\n"
TEST_CALC = """\
import unittest

from calc import add, twice


class Sums(unittest.TestCase):
    def test_add(self):
        self.assertEqual(add(1, 2), 3)

    def test_twice(self):
        self.assertEqual(twice(2), 4)
"""
FILES = {"calc.py": CALC, "tests/__init__.py": "", "tests/test_calc.py": TEST_CALC}


def configured(command, **fields):
    return Tests(command=tuple(command.split()), **fields)


def words(command, *selection, **fields):
    return " ".join(runner_of(configured(command, **fields)).run(selection).words)


@pytest.fixture
def start(backend):
    """``start(command)``: a sandbox with the sums, tested by a command."""
    opened = []

    def start(command, files=(), **fields):
        task = Task(
            id="sums",
            problem="",
            source=FilesSource(files={**FILES, **dict(files)}),
            tests=configured(command, **fields),
        )
        opened.append(backend.start(task))
        return opened[-1]

    yield start
    for sandbox in opened:
        sandbox.close()


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("pytest -q", "pytest"),
        ("python3.9 -m pytest", "pytest"),
        ("python -m unittest", "unittest"),
        ("python tests/runtests.py --settings=x", "django"),
        ("./tests/runtests.py", "django"),
        ("python manage.py test shop", "django"),
        ("python manage.py check", "command"),
        ("make test", "command"),
    ],
)
def test_the_command_tells_its_runner(command, name):
    assert runner_of(configured(command)).name == name


def test_a_task_names_its_runner():
    made = runner_of(configured("make test", runner={"name": "command", "options": {"parser": "tap"}}))
    assert (made.name, made.parser) == ("command", "tap")
    assert runner_of(configured("tox", runner="pytest")).name == "pytest"
    with pytest.raises(UnknownNameError, match="did you mean 'unittest'"):
        runner_of(configured("x", runner="unitest"))
    with pytest.raises(TaskError, match=r"no log parser 'tup'; known: .*tap"):
        runner_of(configured("x", runner={"name": "command", "options": {"parser": "tup"}}))
    with pytest.raises(ConfigError, match="option of the runner 'pytest' named 'parser'"):
        runner_of(configured("x", runner={"name": "pytest", "options": {"parser": "tap"}}))


def test_ids_take_the_place_of_what_unittest_is_told():
    assert words("python -m unittest") == "python -m unittest -v"
    assert words("python -m unittest -f tests.test_calc") == "python -m unittest -v -f tests.test_calc"
    asked = "test_add (tests.test_calc.Sums)"
    assert words("python -m unittest -f tests.test_x", asked) == (
        "python -m unittest -v -f tests.test_calc.Sums.test_add"
    )
    assert words("python -m unittest discover -s tests", "m.A.test_a") == (
        "python -m unittest discover -v -s tests -k m.A.test_a"
    )


def test_ids_take_the_place_of_djangos_labels():
    assert words("python tests/runtests.py --settings a aggregation", "b.tests.T.test_b") == (
        "python tests/runtests.py --verbosity=2 --settings a b.tests.T.test_b"
    )
    assert words("python manage.py test -v 2 shop") == "python manage.py test -v 2 shop"


def test_pytest_keeps_its_arguments_whatever_is_selected():
    made = runner_of(configured("pytest -q sub/tests", visible=("more",)))
    assert made.run(["a.py::b"]) == PytestSession(("-q", "sub/tests", "more"), ("a.py::b",))


def test_only_python_can_be_debugged():
    assert runner_of(configured("make test")).debug() is None
    assert runner_of(configured("python check.py -x")).debug() == Program(("python", "check.py", "-x"))
    assert runner_of(configured("python -m unittest")).debug("m.A.t").script == (
        "-m",
        "unittest",
        "-v",
        "m.A.t",
    )


def test_unittest_gives_an_outcome_for_each_test(start):
    sandbox = start("python -m unittest")
    run = sandbox.run_tests()
    assert run.outcomes == {
        "tests.test_calc.Sums.test_add": "failed",
        "tests.test_calc.Sums.test_twice": "passed",
        "command": "failed",
    }
    one = sandbox.run_tests(["tests.test_calc.Sums.test_twice"])
    assert one.outcomes == {"tests.test_calc.Sums.test_twice": "passed", "command": "passed"}
    assert one.success


@pytest.mark.parametrize(
    ("command", "script"),
    [
        ("bash check.sh", "python -m unittest -v"),
        ("bash check.sh", "echo nothing that is known; exit 2"),
    ],
)
def test_a_command_says_what_it_can(start, command, script):
    run = start(command, {"check.sh": script}).run_tests()
    assert run.outcomes["command"] == "failed"
    assert ("tests.test_calc.Sums.test_twice" in run.outcomes) is ("unittest" in script)


def test_outcomes_come_from_the_whole_output_and_what_is_kept_is_short(start):
    script = "print('1..1'); print('ok 1 - first'); print('x' * 3_000_000)\n"
    sandbox = start("python check.py", {"check.py": script})
    run = sandbox.run_tests()
    assert run.outcomes == {"first": "passed", "command": "passed"}
    assert len(run.output) < 2 * sandbox.task.limits.output
    assert run.dropped > 2_000_000


def test_the_judge_takes_a_make_that_exits_with_2(backend):
    from debug_gym.judge import judge
    from debug_gym.sandbox import Changes, FileEntry

    files = {**FILES, "check.sh": "python -m unittest -v || exit 2\n"}
    task = Task(id="sums", problem="", source=FilesSource(files=files), tests=configured("bash check.sh"))
    fix = Changes(files={"calc.py": FileEntry(data=CALC.replace("a - b", "a + b").encode())})
    broken, fixed = judge(task, Changes(), backend), judge(task, fix, backend)
    assert "exit code" not in broken.reason
    assert set(broken.expected) == {
        "tests.test_calc.Sums.test_add",
        "tests.test_calc.Sums.test_twice",
        "command",
    }
    assert (broken.resolved, fixed.resolved) == (False, True), fixed.reason


@pytest.mark.parametrize("command", ["python -m unittest", "python -m unittest discover -s tests -t ."])
def test_the_debugger_stops_in_a_test_of_unittest(start, command):
    sandbox = start(command)
    test = "tests.test_calc.Sums.test_add"
    reply = sandbox.debug_start(test=test, at="failure")
    assert f"{test} failed\n" in reply.output
    assert (reply.stop.file, reply.stop.function, reply.stop.line) == ("tests/test_calc.py", "test_add", 8)
    assert sandbox.debug("p add(1, 2)").output.strip() == "-1"
    assert sandbox.debug("c").ended
    reply = sandbox.debug_start(test=test, at="start")
    assert (reply.stop.function, reply.stop.line) == ("test_add", 8)
    assert sandbox.debug("s").stop.function == "add"
    sandbox.debug_stop()


def test_the_debugger_stops_in_a_program_that_is_built_on_unittest(start):
    script = "import sys, unittest\nunittest.main(None, argv=['x', *(sys.argv[2:] or ['tests.test_calc'])])\n"
    sandbox = start("python runtests.py --verbosity=2", {"runtests.py": script})
    reply = sandbox.debug_start(at="failure")
    assert (reply.stop.function, reply.stop.line) == ("test_add", 8), reply
    traced = sandbox.trace(calls=["calc.py"], test="tests.test_calc.Sums.test_twice")
    assert [row.function for row in traced.rows][:1] == ["twice"]


def test_the_judge_takes_ids_of_unittest(backend):
    from debug_gym.judge import judge
    from debug_gym.sandbox import Changes, FileEntry

    tests = configured("python -m unittest", fail_to_pass=("tests.test_calc.Sums.test_add",))
    task = Task(id="sums", problem="", source=FilesSource(files=FILES), tests=tests)
    fix = Changes(files={"calc.py": FileEntry(data=CALC.replace("a - b", "a + b").encode())})
    broken, fixed = judge(task, Changes(), backend), judge(task, fix, backend)
    assert (broken.resolved, fixed.resolved) == (False, True), fixed.reason
    assert fixed.seen == {"tests.test_calc.Sums.test_add": "passed"}
