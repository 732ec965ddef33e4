"""Which runner takes which command, what it runs, and how a sandbox does it."""

import importlib.util
import shutil
from pathlib import Path

import pytest

from debug_gym.errors import ConfigError, TaskError, UnknownNameError
from debug_gym.runners import Program, PytestSession, runner_of
from debug_gym.task import DirectorySource, FilesSource, Task, Tests

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
        ("bin/test -C --verbose sympy/core", "sympy"),
        ("python bin/test", "sympy"),
        ("make test", "command"),
    ],
)
def test_the_command_tells_its_runner(command, name):
    assert runner_of(configured(command)).name == name


@pytest.mark.parametrize(
    ("command", "bare", "variables"),
    [
        ("env -i python -m pytest -q", "python -m pytest -q", {}),
        ("env -u PYTHONPATH --unset=HOME pytest", "pytest", {}),
        ("/usr/bin/env DB=off MODE=a=b pytest -x", "pytest -x", {"DB": "off", "MODE": "a=b"}),
        ("nice -n 5 ionice -c 3 pytest", "pytest", {}),
        ("timeout -k 5 60s python3.11 -m pytest a", "python3.11 -m pytest a", {}),
        ("python -X dev -m pytest", "python -m pytest", {"PYTHONDEVMODE": "1"}),
        ("python -Wd -W error -u -m pytest", "python -m pytest", {"PYTHONWARNINGS": "d,error"}),
        ("python -OO -munittest -v", "python -m unittest -v", {"PYTHONOPTIMIZE": "2"}),
        ("coverage run --branch --source calc -m pytest tests", "python -m pytest tests", {}),
        ("python3 -m coverage run -p -m unittest", "python3 -m unittest", {}),
        ("uv run --frozen nohup pytest", "pytest", {}),
        ("poetry run coverage run --module pytest", "python -m pytest", {}),
        (".venv/bin/pytest -k a", "pytest -k a", {}),
        ("timeout 5 make test", "timeout 5 make test", {}),
        ("env A=b bin/test", "env A=b bin/test", {}),
        ("python -I -m pytest", "python -I -m pytest", {}),
        ("coverage run runtests.py -m pytest", "coverage run runtests.py -m pytest", {}),
        ("timeout 5", "timeout 5", {}),
    ],
)
def test_what_stands_before_pytest_is_no_program_of_its_own(command, bare, variables):
    task = Task(id="a", problem="", source=FilesSource(files=FILES), tests=configured(command))
    assert (" ".join(task.tests.command), task.environment.variables) == (bare, variables)


def test_a_wrapped_command_tells_test_by_test(backend):
    looks = (
        "import os, sys\n\n\ndef test_it():\n    assert os.environ['MODE'] == 'a' and sys.flags.dev_mode\n"
    )
    command = "env -i MODE=a timeout 60 python -X dev -m coverage run -m pytest"
    task = Task(
        id="sums",
        problem="",
        source=FilesSource(files={**FILES, "test_it.py": looks}),
        tests=configured(command),
    )
    with backend.start(task) as sandbox:
        assert sandbox.run_tests().outcomes == {
            "test_it.py::test_it": "passed",
            "tests/test_calc.py::Sums::test_add": "failed",
            "tests/test_calc.py::Sums::test_twice": "passed",
        }


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


# -- sympy's own program ----------------------------------------------------------------------------------

PARITY = "sympy/core/tests/test_parity.py"
BIN_TEST = """\
#!/usr/bin/env python
import os, sys
from argparse import ArgumentParser

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from sympy.testing.runtests import test

parser = ArgumentParser()
parser.add_argument("--verbose", action="store_true")
parser.add_argument("-C", "--no-cache", action="store_true")
parser.add_argument("-k", dest="kw", nargs="*", default="")
parser.add_argument("paths", nargs="*")
options = parser.parse_args()
sys.exit(not test(*options.paths, verbose=options.verbose, kw=options.kw, colors=False))
"""
TEST_PARITY = """\
from sympy.testing.pytest import XFAIL, skip


def half(number):
    return number // 2 + 1


def test_half():
    assert half(4) == 2


def test_half_of_nothing():
    assert half(0) / half(0) == 1


@XFAIL
def test_not_yet():
    assert half(1) == 0.5


def test_elsewhere():
    skip("not here")
"""


@pytest.fixture(scope="module")
def algebra(tmp_path_factory):
    """A repository with a bug: sympy, its test program, and one file of tests."""
    spec = importlib.util.find_spec("sympy")
    if spec is None:
        pytest.skip("sympy is not installed")
    folder = tmp_path_factory.mktemp("algebra")
    shutil.copytree(
        Path(spec.origin).parent, folder / "sympy", ignore=shutil.ignore_patterns("tests", "__pycache__")
    )
    files = {"bin/test": BIN_TEST, "sympy/core/tests/__init__.py": "", PARITY: TEST_PARITY}
    for path, text in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    (folder / "bin/test").chmod(0o755)
    tests = Tests(command=("bin/test", "-C", "--verbose"), visible=(PARITY,))
    return Task(id="parity", problem="", source=DirectorySource(path=folder), tests=tests)


def test_sympys_program_is_told_what_to_run():
    command = "env PYTHONWARNINGS=ignore bin/test -C sympy/a/tests/test_a.py"
    assert words(command) == "env PYTHONWARNINGS=ignore bin/test --verbose -C sympy/a/tests/test_a.py"
    assert words(command, "b/test_b.py::test_b") == (
        "env PYTHONWARNINGS=ignore bin/test --verbose -C b/test_b.py -k test_b"
    )
    assert words("bin/test --verbose", "b.py::test_b", "b.py::test_c", "command") == "bin/test --verbose b.py"


@pytest.mark.slow
def test_sympys_tests_are_outcomes_and_can_be_debugged(backend, algebra):
    with backend.start(algebra) as sandbox:
        run = sandbox.run_tests()
        assert run.outcomes == {
            f"{PARITY}::test_half": "failed",
            f"{PARITY}::test_half_of_nothing": "passed",
            f"{PARITY}::test_not_yet": "xfailed",
            f"{PARITY}::test_elsewhere": "skipped",
            "command": "failed",
        }
        one = sandbox.run_tests([f"{PARITY}::test_half_of_nothing"])
        assert one.outcomes == {f"{PARITY}::test_half_of_nothing": "passed", "command": "passed"}
        start = sandbox.debug_start(test=f"{PARITY}::test_half", timeout=60)
        assert (start.stop.file, start.stop.line) == (PARITY, 9)
        failure = sandbox.debug_start(test=f"{PARITY}::test_half", at="failure", timeout=60)
        assert (failure.stop.file, failure.stop.line) == (PARITY, 9)
        assert f"{PARITY}::test_half failed" in failure.output
        assert sandbox.debug("p half(4)").output.strip() == "3"
