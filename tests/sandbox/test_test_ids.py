"""Ids of tests: relative to the workspace, whatever pytest's rootdir; what one place shows, all others take."""

import pytest

from debug_gym.judge import judge
from debug_gym.sandbox import Changes, FileEntry
from debug_gym.task import FilesSource, Task, Tests

INNER = "def test_b():\n    assert 1 == 2\n\n\ndef test_c():\n    pass\n"
OUTER = "def test_b():\n    pass\n"
LAYOUTS = {
    "ini file in a folder": (
        "python -m pytest sub/tests",
        {"sub/pytest.ini": "[pytest]\n", "sub/tests/test_a.py": INNER},
    ),
    "the same name in two folders": (
        "python -m pytest sub/tests",
        {
            "sub/pytest.ini": "[pytest]\n",
            "sub/tests/test_a.py": INNER,
            "tests/test_a.py": OUTER,
        },
    ),
    "importlib": (
        "python -m pytest --import-mode=importlib",
        {"sub/tests/test_a.py": INNER, "tests/test_a.py": OUTER, "sub/pytest.ini": "[pytest]\n"},
    ),
    "configuration elsewhere": (
        "python -m pytest -c cfg/pytest.ini sub/tests tests",
        {
            "cfg/pytest.ini": "[pytest]\naddopts = --import-mode=importlib\n",
            "sub/tests/test_a.py": INNER,
            "tests/test_a.py": OUTER,
        },
    ),
    "testpaths and several ini files": (
        "python -m pytest --import-mode=importlib",
        {
            "tox.ini": "[pytest]\ntestpaths = sub/tests tests\n",
            "sub/tox.ini": "[pytest]\n",
            "sub/setup.cfg": "[tool:pytest]\n",
            "sub/tests/test_a.py": INNER,
            "tests/test_a.py": OUTER,
        },
    ),
    "confcutdir": (
        "python -m pytest --confcutdir=sub/tests --rootdir=sub sub/tests",
        {"sub/tests/conftest.py": "", "sub/tests/test_a.py": INNER},
    ),
}
FAILING, SOUND = "sub/tests/test_a.py::test_b", "sub/tests/test_a.py::test_c"


@pytest.fixture
def start(backend):
    opened = []

    def start(files, command="python -m pytest", **fields):
        tests = Tests(command=tuple(command.split()), **fields)
        opened.append(backend.start(Task(id="ids", problem="", source=FilesSource(files=files), tests=tests)))
        return opened[-1]

    yield start
    for sandbox in opened:
        sandbox.close()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_id_names_the_file_in_the_workspace(start, layout):
    command, files = LAYOUTS[layout]
    sandbox = start(files, command)
    for cold in (False, True):
        run = sandbox.run_tests(cold=cold)
        assert (run.outcomes[FAILING], run.outcomes[SOUND]) == ("failed", "passed")
        assert set(run.collected) == set(run.outcomes)
        for test, outcome in run.outcomes.items():
            assert sandbox.run_tests([test], cold=cold).outcomes == {test: outcome}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_debugger_and_traces_take_what_eval_shows(start, layout):
    command, files = LAYOUTS[layout]
    sandbox = start(files, command)
    reply = sandbox.debug_start(test=FAILING, at="failure")
    assert (reply.stop.file, reply.stop.line) == ("sub/tests/test_a.py", 2), reply.output
    sandbox.debug_stop()
    traced = sandbox.trace(points=["sub/tests/test_a.py:6"], test=SOUND)
    assert traced.run.outcomes == {SOUND: "passed"}
    assert len(traced.rows) == 1


def test_ids_as_pytest_prints_them_are_understood_and_come_back_as_given(start):
    command, files = LAYOUTS["ini file in a folder"]
    run = start(files, command).run_tests(["tests/test_a.py::test_c"])
    assert run.outcomes == {"tests/test_a.py::test_c": "passed"}
    assert run.collected == ("tests/test_a.py::test_c",)


@pytest.mark.parametrize("form", ["sub/tests/test_a.py", "tests/test_a.py"])
def test_the_judge_takes_both_forms(backend, form):
    files = {
        "sub/pytest.ini": "[pytest]\n",
        "sub/tests/test_a.py": INNER.replace("1 == 2", "__import__('calc').x == 1"),
    }
    files["calc.py"] = "x = 2\n"
    tests = Tests(
        command=("python", "-m", "pytest", "sub/tests"),
        fail_to_pass=(f"{form}::test_b",),
        pass_to_pass=(f"{form}::test_c",),
    )
    task = Task(id="ids", problem="", source=FilesSource(files=files), tests=tests)
    fix = Changes(files={"calc.py": FileEntry(data=b"x = 1\n")})
    assert judge(task, fix, backend).reason == ""
    assert not judge(task, Changes(), backend).resolved


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_honest_fix_is_no_forgery_wherever_the_tests_lie(backend, layout):
    command, files = LAYOUTS[layout]
    inner = INNER.replace("1 == 2", "__import__('calc').x == 1")
    files = {path: inner if text == INNER else text for path, text in files.items()}
    tests = Tests(command=tuple(command.split()), fail_to_pass=(FAILING,), pass_to_pass=(SOUND,))
    task = Task(id="ids", problem="", source=FilesSource(files={**files, "calc.py": "x = 2\n"}), tests=tests)
    fixed, broken = (
        judge(task, Changes(files={"calc.py": FileEntry(data=text)}), backend)
        for text in (b"x = 1\n", b"x = 3\n")
    )
    assert (fixed.reason, fixed.cheating, broken.resolved) == ("", (), False)
    assert fixed.controls


def test_paths_in_the_command_do_not_widen_a_selection(start):
    files = {"test_a.py": INNER, "test_z.py": "def test_z(): pass\n"}
    sandbox = start(files, "python -m pytest -q test_a.py")
    assert sandbox.run_tests(["test_a.py::test_c"]).collected == ("test_a.py::test_c",)
    assert sandbox.run_tests(["test_z.py"]).collected == ("test_z.py::test_z",)


PARAMETERS = [
    "plain",
    "é",
    "a::b",
    "a[b]",
    "a b",
    "two\nlines",
    "tab\t",
    "back\\slash",
    "\x1b[31m",
    "\u202e",
    "x" * 3000,
    "",
    "-k",
]
ODD = f"""\
import pytest

@pytest.mark.parametrize("text", {PARAMETERS!r})
def test_odd(text):
    pass

class TestIn:
    @pytest.mark.parametrize("text", {PARAMETERS!r})
    def test_odd(self, text):
        pass
"""


def test_odd_parameters_can_be_named_as_they_are_shown(start):
    from debug_gym.tools.printable import one_line

    sandbox = start({"test_odd.py": ODD, "pytest.ini": "[pytest]\n"})
    tests = sandbox.run_tests().collected
    assert len(set(tests)) == 2 * len(PARAMETERS)
    for test in tests:
        for form in {test, one_line(test)}:
            run = sandbox.run_tests([form])
            assert run.outcomes == {form: "passed"}, form[:100]


def test_parameters_that_are_not_escaped_are_named_in_both_forms(start):
    ini = "[pytest]\ndisable_test_id_escaping_and_forfeit_all_rights_to_community_support = true\n"
    sandbox = start({"test_odd.py": ODD, "pytest.ini": ini})
    for form in (
        "test_odd.py::test_odd[é]",
        "test_odd.py::test_odd[\\xe9]",
        "test_odd.py::TestIn::test_odd[\\u202e]",
    ):
        assert sandbox.run_tests([form]).outcomes == {form: "passed"}
    escaped = start({"test_odd.py": ODD})
    assert escaped.run_tests(["test_odd.py::test_odd[é]"]).outcomes == {"test_odd.py::test_odd[é]": "passed"}


def test_several_parameters_of_one_test_and_others(start):
    sandbox = start({"test_odd.py": ODD, "test_two.py": ODD})
    one = [
        "test_odd.py::test_odd[a::b]",
        "test_odd.py::test_odd[plain]",
        "test_odd.py::TestIn::test_odd[plain]",
    ]
    assert set(sandbox.run_tests(one).collected) == set(one)
    other = sandbox.run_tests([one[0], "test_two.py::test_odd"]).collected
    assert [test for test in other if test.startswith("test_odd.py")] == [one[0]]
    assert len(other) == 1 + len(PARAMETERS)
    both = sandbox.run_tests([one[0], one[2], "test_odd.py::TestIn"]).collected
    assert len(both) == 1 + len(PARAMETERS)


@pytest.mark.parametrize("options", ["--lf", "--ff", "--nf", "--sw", "--cache-clear", "--strict-config"])
def test_the_cache_of_pytest_is_there_and_leaves_nothing(start, options):
    files = {
        "test_a.py": INNER,
        "conftest.py": "def pytest_configure(config):\n    config.cache.set('a/b', 1)\n",
        "test_cache.py": "def test_cache(cache):\n    assert cache.get('a/b', None) == 1\n",
        "pytest.ini": f"[pytest]\naddopts = {options}\ncache_dir = kept\n",
    }
    sandbox = start(files)
    first = sandbox.run_tests()
    assert first.outcomes["test_a.py::test_b"] == "failed", first.output
    assert sandbox.run_tests().outcomes == first.outcomes
    left = sandbox.exec("ls -A; ls -A /tmp").output.split()
    assert not {"kept", ".pytest_cache", "pytest-cache"}.intersection(left)
