"""Where the debugger stops first: at failures, at the start of tests and scripts, at breakpoints."""

import pytest

SHOP = '''"""A shop."""

TAX = 2


def total(prices):
    result = 0
    for price in prices:
        result += price
    return result


def mean(prices):
    return total(prices) / len(prices)
'''
TESTS = '''import json
import unittest

import pytest

from shop import mean, total


@pytest.mark.parametrize("n", [1, 2])
def test_total(n):
    """Adds."""
    print("hello", n)
    assert total([n, n]) == 2 * n


def test_mean():
    assert mean([1, 3]) == 2
    assert mean([]) == 0


class TestShop(unittest.TestCase):
    def setUp(self):
        self.prices = [3]

    def test_price(self):
        self.assertEqual(mean(self.prices), 4)


@pytest.fixture
def broken():
    raise ValueError("no ☃")


def test_fixture(broken):
    pass


def test_library():
    json.loads("{")


def test_raises():
    with pytest.raises(KeyError, match="b"):
        {}["a"]


@pytest.mark.xfail
def test_expected():
    assert 0
'''
FILES = {
    "shop.py": SHOP,
    "test_shop.py": TESTS,
    "program.py": "import sys\n\nprint(sys.argv)\n",
    "test_syntax.py": "x = 1\n\ndef test_a(:\n    pass\n",
    "test_import.py": "import nothing_of_that_name\n",
}


@pytest.fixture(scope="module")
def sandbox(backend, make_task):
    with backend.start(make_task(FILES)) as sandbox:
        yield sandbox


def line_of(text, file):
    return next(n for n, line in enumerate(FILES[file].split("\n"), 1) if line.strip() == text)


def where(reply):
    return reply.stop and (reply.stop.file, reply.stop.line, reply.stop.function, reply.stop.reason)


def test_stops_at_the_line_that_raised(sandbox):
    reply = sandbox.debug_start(test="test_shop.py::test_mean", at="failure")
    assert where(reply) == ("shop.py", 14, "mean", "post-mortem")
    assert not reply.ended
    assert reply.output.split("\n") == [
        "test_shop.py::test_mean failed",
        "post-mortem at shop.py:14 in mean: ZeroDivisionError: division by zero",
        "  11",
        "  12",
        "  13      def mean(prices):",
        "  14  ->      return total(prices) / len(prices)",
        "",
    ]
    assert sandbox.debug("p prices").output == "[]\n"
    refused = sandbox.debug("n")
    assert refused.output.startswith("*** the program failed and cannot go on")
    assert where(refused) == where(reply)
    end = sandbox.debug("c")
    assert (end.ended, end.exit_code, end.stop) == (True, 1, None)
    assert end.output == "tests: 1 failed\nthe program ended with exit code 1"


@pytest.mark.parametrize(
    ("test", "line", "says"),
    [
        ("test_library", 'json.loads("{")', "json/decoder.py"),
        ("test_raises", 'with pytest.raises(KeyError, match="b"):', "Regex pattern did not match"),
        ("test_fixture", 'raise ValueError("no ☃")', "failed in its setup\npost-mortem at test_shop.py:"),
        ("TestShop::test_price", "self.assertEqual(mean(self.prices), 4)", "AssertionError: 3.0 != 4"),
    ],
)
def test_failures_of_other_kinds(sandbox, test, line, says):
    reply = sandbox.debug_start(test=f"test_shop.py::{test}", at="failure")
    assert (reply.stop.file, reply.stop.line) == ("test_shop.py", line_of(line, "test_shop.py"))
    assert says in reply.output


@pytest.mark.parametrize(
    ("file", "line", "error"),
    [("test_syntax.py", 3, "SyntaxError"), ("test_import.py", 1, "ModuleNotFoundError: No module named")],
)
def test_files_that_cannot_be_collected(sandbox, file, line, error):
    reply = sandbox.debug_start(test=file, at="failure")
    assert where(reply) == (file, line, "<module>", "post-mortem")
    assert error in reply.output
    assert f"{line:>4}  ->" in reply.output


@pytest.mark.parametrize(
    ("test", "line", "function"),
    [
        ("test_total", 'print("hello", n)', "test_total"),
        ("test_total[2]", 'print("hello", n)', "test_total"),
        ("test_mean", "assert mean([1, 3]) == 2", "test_mean"),
        ("TestShop::test_price", "self.prices = [3]", "setUp"),
    ],
)
def test_stops_at_the_start_of_a_test(sandbox, test, line, function):
    reply = sandbox.debug_start(test=f"test_shop.py::{test}", at="start")
    assert where(reply) == ("test_shop.py", line_of(line, "test_shop.py"), function, "start")


def test_stops_at_the_start_of_a_doctest(backend, make_task):
    files = {"doc.py": 'def f(x):\n    """\n    >>> f(1)\n    2\n    """\n    return x + 1\n'}
    files["pytest.ini"] = "[pytest]\naddopts = --doctest-modules\n"
    with backend.start(make_task(files)) as sandbox:
        reply = sandbox.debug_start(test="doc.py::doc.f", at="start")
        assert where(reply) == ("<doctest doc.f[0]>", 1, "<module>", "start")
        assert where(sandbox.debug("s\nn")) == ("doc.py", 6, "f", "step")
        assert sandbox.debug("c").exit_code == 0


def test_stepping_out_of_a_test_leaves_out_the_machinery(sandbox):
    sandbox.debug_start(test="test_shop.py::TestShop", at="start")
    stops = [sandbox.debug("n").stop for _ in range(5)]
    assert {stop.function for stop in stops} == {"setUp", "test_price"}
    assert sandbox.debug("where").output.startswith("-> test_shop.py:")


def test_a_whole_suite_stops_at_each_failure(sandbox):
    reply = sandbox.debug_start(test="test_shop.py", at="failure")
    stops = []
    while reply.stop:
        stops.append(reply.stop.function)
        reply = sandbox.debug("c")
    assert stops == ["mean", "test_price", "broken", "test_library", "test_raises"]
    assert "tests: 1 errors, 4 failed, 2 passed, 1 xfailed\n" in reply.output


@pytest.mark.parametrize(
    ("line", "function", "written"), [("result += price", "total", "hello 1\n"), ("TAX = 2", "<module>", "")]
)
def test_runs_to_the_first_breakpoint(sandbox, line, function, written):
    number = line_of(line, "shop.py")
    sandbox.debug_start(at="idle")
    set_before = sandbox.debug(f"b shop.py:{number}").breakpoints
    reply = sandbox.debug_start(test="test_shop.py", at="breakpoint", breakpoints=set_before)
    assert where(reply) == ("shop.py", number, function, "breakpoint 1")
    assert reply.program == written
    assert reply.output.startswith(f"breakpoint 1 at shop.py:{number} in {function}\n")
    assert f"{number:>4} B->  " in reply.output
    assert [(entry.number, entry.hits) for entry in reply.breakpoints] == [(1, 1)]
    assert reply.sources == {"shop.py": SHOP}


def test_a_test_that_does_not_exist(sandbox):
    reply = sandbox.debug_start(test="test_shop.py::test_nothing")
    assert (reply.ended, reply.exit_code) == (True, 4)
    assert "pytest ran no test" in reply.output
    assert "not found" in reply.program


def test_a_module_as_a_script(sandbox):
    reply = sandbox.debug_start(script=["-m", "program", "leave"], at="start")
    assert where(reply) == ("program.py", 1, "<module>", "start")
    assert sandbox.debug("__name__, __spec__.name").output == "('__main__', 'program')\n"
    assert sandbox.debug("c").program == "['/workspace/program.py', 'leave']\n"


def test_a_script_that_does_not_exist(sandbox):
    reply = sandbox.debug_start(script=["nothing.py"])
    assert (reply.ended, reply.exit_code) == (True, 2)
    assert reply.output.startswith("cannot run nothing.py: FileNotFoundError")


@pytest.mark.parametrize("ends", ["raise KeyboardInterrupt", 'pytest.exit("enough")'])
def test_what_ends_the_whole_run_stops_where_it_was_raised(backend, make_task, ends):
    source = f"import pytest\n\n\ndef test_a():\n    {ends}\n"
    with backend.start(make_task({"test_a.py": source})) as sandbox:
        reply = sandbox.debug_start(at="failure")
        assert (reply.stop.file, reply.stop.line, reply.stop.reason) == ("test_a.py", 5, "post-mortem")
        assert "pytest ran no test to its end (its exit code is 2)" in sandbox.debug("c").output


def test_a_file_that_cannot_be_collected_stops_once(backend, make_task):
    with backend.start(make_task({"test_a.py": "1 / 0\n"})) as sandbox:
        assert sandbox.debug_start(at="failure").stop.line == 1
        assert sandbox.debug("c").ended


def test_a_strict_xfail_that_passes_is_told(backend, make_task):
    source = "import pytest\n\n\n@pytest.mark.xfail(strict=True)\ndef test_a():\n    pass\n"
    with backend.start(make_task({"test_a.py": source})) as sandbox:
        assert "test_a.py::test_a failed: [XPASS(strict)]\n" in sandbox.debug_start(at="failure").output
