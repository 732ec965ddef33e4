import re

import pytest

from debug_gym.task import Limits, Tests

FILES = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "test_calc.py": (
        "import pytest\nfrom calc import add\n"
        "def test_zero(): assert add(0, 0) == 0\n"
        "def test_add(): assert add(1, 2) == 3\n"
        "@pytest.mark.skip\ndef test_skipped(): pass\n"
        "@pytest.mark.xfail\ndef test_expected(): assert add(1, 1) == 2\n"
        "@pytest.fixture\ndef broken(): raise RuntimeError('no fixture')\n"
        "def test_error(broken): pass\n"
    ),
}


@pytest.fixture(scope="module")
def session(make_shared_session):
    return make_shared_session(FILES)


def test_a_run_of_all_tests(call, session):
    seen = call(session, "eval")
    lines = seen.text.split("\n")
    assert lines[:4] == [
        "1 failed, 1 error, 1 passed, 1 xfailed, 1 skipped of 5",
        "failed: test_calc.py::test_add - assert -1 == 3",
        "error: test_calc.py::test_error - RuntimeError: no fixture",
        "============================= test session starts ==============================",
    ]
    assert lines[-1] == "===== 1 failed, 1 passed, 1 skipped, 1 xfailed, 1 error ====="
    assert "E   assert -1 == 3" in lines
    assert not seen.error
    assert seen.data == {
        "outcomes": {
            "test_calc.py::test_zero": "passed",
            "test_calc.py::test_add": "failed",
            "test_calc.py::test_skipped": "skipped",
            "test_calc.py::test_expected": "xfailed",
            "test_calc.py::test_error": "error",
        },
        "passed": 1,
        "failed": 2,
        "total": 5,
        "complete": True,
        "timed_out": False,
        "exit_code": 1,
        "warm": True,
    }


def test_only_a_run_of_all_tests_is_remembered(call, make_session):
    session = make_session(FILES)
    assert session.tests is None
    call(session, "eval", tests=["test_calc.py::test_zero"])
    assert session.tests is None
    call(session, "eval")
    assert session.tests is not None
    assert session.tests.failed == ("test_calc.py::test_add", "test_calc.py::test_error")
    call(session, "rewrite", path="calc.py", content="    return a + b", start=2)
    call(session, "eval", tests=["test_calc.py::test_add"])
    assert "test_calc.py::test_add" in session.tests.failed
    call(session, "eval")
    assert session.tests.failed == ("test_calc.py::test_error",)


def test_a_selection(call, session):
    seen = call(session, "eval", tests=["test_calc.py::test_zero", "test_calc.py::test_add"])
    assert seen.text.startswith("1 failed, 1 passed of 2\nfailed: test_calc.py::test_add - ")
    assert seen.data["total"] == 2


@pytest.mark.parametrize(
    ("tests", "message"),
    [
        (["test_calc.py::nope"], "ERROR: not found: /workspace/test_calc.py::nope"),
        (["nope.py"], "ERROR: file or directory not found: nope.py"),
        (["--collect-only"], "'--collect-only' is not a test id or path"),
        ([""], "'' is not a test id or path"),
        ("test_calc.py", "tests: Input should be a valid list"),
    ],
)
def test_a_selection_that_does_not_exist(call, session, tests, message):
    seen = call(session, "eval", tests=tests)
    assert seen.error
    assert message in seen.text


def test_runs_are_equal_to_the_letter(call, make_session):
    session = make_session(
        {
            "test_a.py": (
                "import tempfile\nclass Thing: pass\n"
                "def test_a(tmp_path):\n"
                "    print(Thing(), tmp_path, tempfile.mkdtemp())\n"
                "    assert Thing() == Thing(), tmp_path\n"
            )
        }
    )
    first, second = call(session, "eval"), call(session, "eval")
    assert first == second
    assert "Thing object at 0x1>" in first.text
    assert not re.search(r"0x[0-9a-f]{4}|pytest-of|/tmp/tmp|\d\.\d+s", first.text)


def test_a_file_that_cannot_be_imported(call, make_session):
    session = make_session({"test_a.py": "import no_such_module\n", "test_b.py": "def test_b(): pass\n"})
    seen = call(session, "eval")
    assert seen.text.startswith("1 error of 2\nerror: test_a.py - ")
    assert "No module named 'no_such_module'" in seen.text
    assert seen.data["failed"] == 1


def test_no_tests(call, make_session):
    seen = call(make_session({"a.py": ""}), "eval")
    assert seen.text.startswith("no tests ran\n")
    assert seen.data["total"] == 0


def test_a_test_that_hangs(call, make_session):
    session = make_session(
        {"test_a.py": "import time\ndef test_a(): pass\ndef test_b():\n    time.sleep(60)\n"},
        tests=Tests(timeout=1),
    )
    seen = call(session, "eval")
    assert seen.text.startswith("1 passed of 2; stopped after 1 seconds, before the end\n")
    assert seen.data["timed_out"]
    assert not seen.data["complete"]
    quick = call(session, "eval", timeout=0.5)
    assert quick.text.startswith("1 passed of 2; stopped after 0.5 seconds, before the end\n")


def test_a_test_that_ends_the_process(call, make_session):
    session = make_session({"test_a.py": "import os\ndef test_a(): pass\ndef test_b(): os._exit(0)\n"})
    seen = call(session, "eval")
    assert seen.text.startswith("1 passed of 2; the run broke off before its end (exit code 0)")
    assert not seen.data["complete"]


def test_out_of_memory_is_said(call, make_session):
    session = make_session(
        {"test_a.py": "import time\ndef test_a():\n    x = bytes(b'x' * (200 << 20))\n    time.sleep(5)\n"},
        limits=Limits(memory=150 << 20),
    )
    seen = call(session, "eval")
    assert "failed: test_a.py::test_a - MemoryError" in seen.text or "out of memory" in seen.text


def test_long_output_is_clipped(call, make_session):
    source = "\n".join(f"def test_{n}(): assert {n} < 0" for n in range(500))
    session = make_session({"test_a.py": source})
    seen = call(session, "eval")
    assert seen.text.startswith("500 failed of 500\nfailed: test_a.py::test_0 - ")
    assert "\n[and 470 more: test_a.py (470)]\n" in seen.text
    assert "characters cut ...]" in seen.text
    assert len(seen.text) < 30_000


def test_escapes_in_the_output_are_visible(call, make_session):
    session = make_session({"test_a.py": "def test_a():\n    print('\\x1b[2J')\n    assert 0, '\\x1b[31m'\n"})
    seen = call(session, "eval")
    assert "\x1b" not in seen.text
    assert "failed: test_a.py::test_a - AssertionError: \\x1b[31m" in seen.text


def test_a_command_that_is_not_pytest(call, make_session):
    session = make_session({"check.sh": "echo checking; exit 3\n"}, tests=Tests(command=("bash", "check.sh")))
    seen = call(session, "eval")
    assert seen.text == "1 failed of 1\nfailed: command\nchecking"
    assert seen.data["outcomes"] == {"command": "failed"}
    refused = call(session, "eval", tests=["check.sh"])
    assert refused.error
    assert refused.text == "the tests of this task run as one command: call eval without tests"


def test_only_the_visible_tests_run(call, make_session):
    session = make_session(
        {"tests/test_a.py": "def test_a(): pass\n", "other/test_b.py": "def test_b(): pass\n"},
        tests=Tests(visible=("tests",)),
    )
    assert set(call(session, "eval").data["outcomes"]) == {"tests/test_a.py::test_a"}


SLOW = """import time


def wait():
    time.sleep(100)


def spin(n):
    while n:
        n += 1


def deep():
    return sum(range(10**13))
"""


@pytest.mark.parametrize(
    ("call_of", "place"),
    [
        ("wait()", r"    slow\.py:5 in wait"),
        ("spin(1)", r"    slow\.py:(9|10) in spin"),
        ("deep()", r"    slow\.py:14 in deep"),
    ],
)
def test_a_run_at_its_time_limit_says_where_it_stood(make_session, call, call_of, place):
    tests = f"from slow import *\n\n\ndef test_ok():\n    pass\n\n\ndef test_slow():\n    {call_of}\n"
    session = make_session({"slow.py": SLOW, "test_slow.py": tests})
    summary, running, *rest = call(session, "eval", timeout=1).text.split("\n")
    assert summary == "1 passed of 2; stopped after 1 seconds, before the end"
    assert running == "it was running test_slow.py::test_slow, and stood, innermost first, at"
    assert re.fullmatch(place, rest[0])
    assert rest[1] == "    test_slow.py:9 in test_slow"


def test_a_run_that_hangs_before_its_tests_says_where(make_session, call):
    session = make_session({"test_a.py": "import time\ntime.sleep(100)\n"})
    lines = call(session, "eval", timeout=1).text.split("\n")
    assert lines[1:3] == [
        "it had not begun with a test, and stood, innermost first, at",
        "    test_a.py:2 in <module>",
    ]


def test_a_run_that_breaks_off_says_in_which_test(make_session, call):
    session = make_session({"test_a.py": "import os\n\n\ndef test_a():\n    os._exit(3)\n"})
    assert call(session, "eval").text.split("\n")[1] == "it was running test_a.py::test_a"


def test_of_many_parameters_the_first_failure_is_shown_in_full(make_session, call):
    tests = """import pytest


@pytest.mark.parametrize("n", range(40))
def test_many(n):
    text = "x" * 50  # a line of the source
    print("captured", n)
    assert [text, n] == [text, -1]


def test_other():
    assert 1 == 2
"""
    text = call(make_session({"test_a.py": tests}), "eval").text
    assert text.count("a line of the source") == 1
    assert text.count("captured 0") == 1
    assert "captured 1" not in text
    assert text.count("At index 1 diff: ") == 13
    assert text.count("test_a.py:8: AssertionError") == 13
    assert "\n[... 27 more failures of test_many ...]\n" in text
    assert ">       assert 1 == 2\nE       assert 1 == 2" in text


def test_parameters_with_long_ids_that_fail_alike_are_short_as_well(make_session, call):
    """pytest's titles of them have one underscore at each end."""
    tests = """\
import pytest


@pytest.mark.parametrize("text", [f"{n}" + "x" * 90 for n in range(40)])
class TestA:
    def test_many(self, text):
        assert text == ""  # a line of the source
"""
    text = call(make_session({"test_a.py": tests}), "eval").text
    assert text.count("a line of the source") == 1
    assert "\n[... 27 more failures of TestA.test_many ...]\n" in text


def test_warnings_are_shown_once(make_session, call):
    conftest = "import sys\nprint('old.py:3: DeprecationWarning: at the start\\n  old()', file=sys.stderr)\n"
    tests = "import warnings\n\n\ndef test_a():\n    warnings.warn('from a test', UserWarning)\n"
    session = make_session(
        {"conftest.py": conftest, "test_a.py": tests, "run.py": "import conftest\nx = 1\n"}
    )
    first, second = (call(session, "eval").text for _ in range(2))
    assert "from a test" in first
    assert "Warning:" not in second
    assert "[warnings that were shown before are left out]" in second
    assert second.splitlines()[0] == first.splitlines()[0]
    first, second = (call(session, "pdb", script=["run.py"], at="start", command="n").text for _ in range(2))
    assert "DeprecationWarning: at the start\n  old()" in first
    assert "Warning:" not in second
    session.sandbox.write("test_a.py", tests.replace("from a", "from another").encode())
    assert "from another test" in call(session, "eval").text


def test_what_failed_in_a_run_of_some_tests_is_what_the_debugger_starts(call, make_session):
    files = {"test_a.py": "def test_b():\n    assert 1 == 2\n\ndef test_c():\n    x = 7\n    assert x == 3\n"}
    session = make_session(files)
    call(session, "eval", tests=["test_a.py::test_c"])
    assert session.first_failed == "test_a.py::test_c"
    assert call(session, "pdb", command="p x").text.startswith("started test_a.py::test_c, ")
    assert "test_a.py::test_c: " in call(session, "trace", points=["test_a.py:6: x"]).text
    call(session, "rewrite", path="test_a.py", start=6, end=6, content="    assert x == 7")
    call(session, "eval", tests=["test_a.py::test_c"])
    assert session.first_failed is None
    call(session, "eval")
    assert session.first_failed == "test_a.py::test_b"


def test_the_same_call_gives_the_same_text_where_pytest_cuts_an_address(call, make_session):
    names = {n: "Thing" + "x" * n for n in range(180, 260)}
    lines = [f"class {name}: pass\ndef test_{n}(): assert {name}() == 1\n" for n, name in names.items()]
    session = make_session({"test_a.py": "".join(lines)})
    seen = {call(session, "eval").text for _ in range(4)}
    assert len(seen) == 1


def test_a_file_of_tests_with_another_name_is_known_not_to_count(call, make_session):
    files = {"check.py": "def test_a(): pass\n", "calc.py": "x = 1\n"}
    session = make_session(files, tests=Tests(command=("python", "-m", "pytest", "check.py")))
    said = "changes to this file are not part of the solution"
    assert said in call(session, "rewrite", path="check.py", start=1, end=1, content="x = 2").text
    assert said not in call(session, "rewrite", path="calc.py", start=1, end=1, content="x = 2").text


def test_of_hundreds_of_files_only_what_failed_is_listed(make_session, call):
    files = {f"tests/test_{n:02}.py": "def test_a(): assert True\n" for n in range(60)}
    files |= {f"tests/test_bad_{n:02}.py": "def test_a(): assert 1 == 2\n" for n in range(45)}
    seen = call(make_session(files), "eval")
    assert seen.text.startswith("45 failed, 60 passed of 105\n")
    assert "\n[... 60 lines about tests that passed ...]\n" in seen.text
    assert "\n[... 15 more lines ...]\n" in seen.text
    assert "[and 15 more: tests/test_bad_30.py (1), " in seen.text and ", and 5 files]" in seen.text
    assert "tests/test_00.py" not in seen.text
    assert seen.text.count(":1: AssertionError\n") == 45


def test_a_few_files_are_listed_one_by_one(make_session, call):
    files = {f"test_{n}.py": "def test_a(): print('... [ 50%]')\n" for n in range(20)}
    seen = call(make_session(files), "eval")
    assert "test_7.py ." in seen.text and "[..." not in seen.text
