"""What log parsers read from real output, and from output made to mislead them."""

import subprocess
import sys
from pathlib import Path

import pytest

from debug_gym.runners.logs import lines_log, pytest_log, sympy_log, tap_log, unittest_log

SUITE = '''\
import sys
import unittest


class A(unittest.TestCase):
    def test_ok(self):
        pass

    def test_described(self):
        """What this is about."""

    def test_fail(self):
        """A failure with words."""
        self.assertEqual(1, 2)

    def test_error(self):
        raise ValueError("x")

    def test_noisy(self):
        sys.stderr.write("no newline")

    @unittest.skip("because")
    def test_skip(self):
        pass

    @unittest.expectedFailure
    def test_expected(self):
        self.fail()

    @unittest.expectedFailure
    def test_unexpected(self):
        pass

    def test_subtests(self):
        for i in range(3):
            with self.subTest(i=i):
                self.assertEqual(i, 1)


class B(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise RuntimeError("no")

    def test_never(self):
        pass
'''
OUTCOMES = {
    "suite.A.test_ok": "passed",
    "suite.A.test_described": "passed",
    "suite.A.test_fail": "failed",
    "suite.A.test_error": "error",
    "suite.A.test_noisy": "passed",
    "suite.A.test_skip": "skipped",
    "suite.A.test_expected": "xfailed",
    "suite.A.test_unexpected": "xpassed",
    "suite.A.test_subtests": "failed",
}


@pytest.mark.parametrize("minor", [7, 8, 10, 11, 12, 13])
def test_unittest_as_each_python_prints_it(tmp_path, minor):
    found = [str(path) for path in Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python")]
    if not found and sys.version_info.minor != minor:
        pytest.skip(f"Python 3.{minor} is not installed here")
    (tmp_path / "suite.py").write_text(SUITE)
    command = [found[0] if found else sys.executable, "-m", "unittest", "-v", "suite"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert unittest_log(done.stderr) == OUTCOMES


def test_a_module_that_cannot_be_imported_is_no_test():
    output = (
        "tests.test_b (unittest.loader._FailedTest.tests.test_b) ... ERROR\n"
        "test_a (tests.test_a.A.test_a) ... ok\n\n" + "=" * 70 + "\n"
        "ERROR: tests.test_b (unittest.loader._FailedTest.tests.test_b)\n"
    )
    assert unittest_log(output) == {"tests.test_a.A.test_a": "passed"}


def test_a_summary_that_a_test_prints_does_not_make_it_pass():
    output = "test_a (m.A) ... test_a (m.A) ... ok\nFAIL\n\n" + "=" * 70 + "\nFAIL: test_a (m.A)\n"
    assert unittest_log(output) == {"m.A.test_a": "failed"}


def test_sympy():
    output = """\
============================= test process starts ==============================
executable:         /usr/bin/python  (3.9.18-final-0) [CPython]

sympy/core/tests/test_basic.py[4]
test_structure ok
test_equality F
test_slow s - slow                                                     [FAIL]

sympy/core/tests/test_expr.py[2]
test_structure E
test_later f                                                           [OK]
________________________________ slowest tests _________________________________
test_structure - Took 12.345 seconds
"""
    assert sympy_log(output) == {
        "sympy/core/tests/test_basic.py::test_structure": "passed",
        "sympy/core/tests/test_basic.py::test_equality": "failed",
        "sympy/core/tests/test_basic.py::test_slow": "skipped",
        "sympy/core/tests/test_expr.py::test_structure": "error",
        "sympy/core/tests/test_expr.py::test_later": "xfailed",
    }


def test_pytest_in_a_larger_command():
    output = """\
make: Entering directory
tests/test_a.py::test_one PASSED                     [ 33%]
tests/test_a.py::test_two[a b] FAILED                [ 66%]
FAILED tests/test_a.py::test_two[a b] - AssertionError: assert 1 == 2
SKIPPED [1] tests/test_a.py:3: not here
"""
    assert pytest_log(output) == {
        "tests/test_a.py::test_one": "passed",
        "tests/test_a.py::test_two[a b]": "failed",
    }


def test_the_test_anything_protocol():
    output = (
        "1..5\nok 1 - adds\nnot ok 2 - divides\nok 3 - waits # SKIP no clock\nnot ok 4 - flies # TODO\nok 5\n"
    )
    assert tap_log(output) == {
        "adds": "passed",
        "divides": "failed",
        "waits": "skipped",
        "flies": "xfailed",
        "test 5": "passed",
    }
    assert tap_log("ok then\n") == {}  # no plan: not this protocol


def test_a_line_for_each_test():
    output = "adds ... ok\nPASS: divides\nwaits: SKIP\nfalls FAIL\nFAILED (failures=1)\n\nall is well\n"
    assert lines_log(output) == {
        "adds": "passed",
        "divides": "passed",
        "waits": "skipped",
        "falls": "failed",
        "(failures=1)": "failed",
    }
