"""What the program brings along must not end it or leave the debugger: hostile reprs, debuggers of its own."""

import pytest

from debug_gym.task import Environment

HOSTILE = """class Exits:
    def __repr__(self):
        raise SystemExit(7)

    def __eq__(self, other):
        raise SystemExit(8)

    __hash__ = None


class Odd(Exception):
    def __str__(self):
        raise SystemExit(9)

    @property
    def exceptions(self):
        raise SystemExit(10)


def given():
    thing = Exits()
    more = 1
    return thing


def fails():
    try:
        raise Odd()
    except Odd:
        pass
    return 3


thing = given()
found = fails()
print("the end")
"""
TESTS = """import pdb
import sys

import pytest


def test_pytest():
    a = 1
    pytest.set_trace()
    assert a


def test_instance():
    b = 2
    pdb.Pdb().set_trace()
    assert b


def test_subclass():
    class Mine(pdb.Pdb):
        def set_trace(self, frame=None):
            super().set_trace(frame or sys._getframe(1))

    c = 3
    Mine(nosigint=True).set_trace()
    assert c


def test_module():
    d = 4
    pdb.set_trace()
    assert d
"""
PLAIN = """def test_one():
    x = 1
    assert x == 1


def test_two():
    y = 2
    assert y == 3
"""


@pytest.fixture
def sandbox(backend, make_task, python):
    task = make_task({"run.py": HOSTILE}, environment=Environment(python=python))
    with backend.start(task) as sandbox:
        yield sandbox


def test_what_is_shown_at_a_stop_never_reaches_the_program(sandbox):
    sandbox.debug_start(script=["run.py"], at="start")
    reply = sandbox.debug("set changes on\nb given\nc\ndisplay thing\nn\nn")
    assert "thing = (its repr fails: SystemExit)  (new)" in reply.output
    assert (reply.stop.function, reply.stop.reason) == ("given", "step")
    reply = sandbox.debug("n\nn")
    assert "return at run.py:23 in given: (its repr fails: SystemExit)" in reply.output
    assert "step at run.py:35 in <module>" in reply.output
    assert sandbox.debug("display thing\nn").stop.line == 36
    reply = sandbox.debug("cl\nc")
    assert (reply.program, reply.exit_code) == ("the end\n", 0)


def test_an_exception_that_cannot_be_shown_is_shown(sandbox):
    sandbox.debug_start(script=["run.py"], at="start")
    reply = sandbox.debug("b fails\nc\nn\nn")
    assert reply.stop.reason == "exception"
    assert "exception at run.py:28 in fails: " in reply.output
    sandbox.write("odd.py", HOSTILE[: HOSTILE.index("def given")].encode() + b"raise Odd() from Odd()\n")
    reply = sandbox.debug_start(script=["odd.py"], at="failure")
    assert reply.stop.reason == "post-mortem"
    assert "Odd" in sandbox.debug("exceptions").output


def test_a_trace_survives_what_cannot_be_shown(sandbox):
    is_old = "3.6" in sandbox.exec(["python", "-V"]).output  # it records no assignments
    assigned = [] if is_old else ["run.given:thing"]
    traced = sandbox.trace(calls=["run.given"], assignments=assigned, script=["run.py"])
    assert traced.run.exit_code == 0
    assert "whose repr raises SystemExit" in str(traced.rows)


def test_every_debugger_that_tests_call_is_this_one(backend, make_task):
    with backend.start(make_task({"test_own.py": TESTS})) as sandbox:
        replies = [sandbox.debug_start(at="failure")]
        replies += [sandbox.debug("c") for _ in range(4)]
        assert [reply.stop and (reply.stop.function, reply.stop.reason) for reply in replies] == [
            ("test_pytest", "breakpoint()"),
            ("test_instance", "breakpoint()"),
            ("test_subclass", "breakpoint()"),
            ("test_module", "breakpoint()"),
            None,
        ]
        assert replies[-1].output.startswith("tests: 4 passed")


@pytest.mark.parametrize(
    ("options", "stops"),
    [
        ("--pdb", ["test_two post-mortem"]),
        ("--trace", ["test_one start", "test_two start", "test_two post-mortem"]),
    ],
)
def test_options_that_ask_for_a_debugger_get_this_one(backend, make_task, options, stops):
    files = {"test_plain.py": PLAIN, "pytest.ini": f"[pytest]\naddopts = {options}\n"}
    with backend.start(make_task(files)) as sandbox:
        reply, seen = sandbox.debug_start(at="failure"), []
        while reply.stop is not None:
            seen.append(f"{reply.stop.function} {reply.stop.reason}")
            reply = sandbox.debug("c")
        assert seen == stops
        assert "1 failed, 1 passed" in reply.output
        outcomes = {"test_plain.py::test_one": "passed", "test_plain.py::test_two": "failed"}
        for cold in (False, True):
            run = sandbox.run_tests(cold=cold)
            assert (run.outcomes, run.exit_code) == (outcomes, 1), "no debugger waits for commands there"
