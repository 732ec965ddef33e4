"""Traces in the sandbox: every kind of event in every Python that is installed here, and every kind of end."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from debug_gym.task import Environment, Limits

EVENTS = """import asyncio
import sys
import threading


class Stack:
    def __init__(self):
        self.items = []

    def push(self, item):
        self.items = [*self.items, item]
        return self


def mean(xs):
    total = 0
    for x in xs:
        total += x
    if not xs:
        raise ValueError("empty")
    return total / len(xs)


def fact(n):
    if n <= 1:
        return 1
    return n * fact(n - 1)


def numbers(n):
    for i in range(n):
        yield i
    return "end"


def again():
    try:
        raise KeyError("k")
    except KeyError:
        raise


def caught():
    try:
        again()
    except KeyError:
        return 5


def closed(g=None):
    g = numbers(2)
    next(g)
    try:
        g.throw(ZeroDivisionError("z"))
    except ZeroDivisionError:
        pass


async def later(n):
    await asyncio.sleep(0)
    return n + 1


async def stream():
    yield 1


async def consume():
    return [x async for x in stream()]


twice = lambda y: y * 2


def squares(n): return [i * i for i in range(n)]


def several():
    for i in range(2):
        got = max(
            i,
            len([i]),
        )
    return got


def outer():
    seen = 0

    def inner():
        nonlocal seen
        seen += 1

    inner()
    first, second = second, first = 1, 2
    with open(__file__) as file:
        pass
    return seen


if __name__ == "__main__":
    eval(sys.argv[1])
"""
PROGRAM = """import os
import signal
import sys
import threading


class Bad:
    def __repr__(self):
        raise ValueError("no repr")


def show(value):
    return value


def loop(n):
    for i in range(n):
        show(i)


def forever():
    while True:
        show(1)


def leave():
    show(1)
    os._exit(3)


def die():
    show(1)
    os.kill(os.getpid(), signal.SIGKILL)


def fork():
    pid = os.fork()
    if not pid:
        show("child")
        os._exit(0)
    os.waitpid(pid, 0)
    show("parent")


def thread():
    started = threading.Thread(target=show, args=(1,), name="worker")
    started.start()
    started.join()


def settrace():
    sys.settrace(lambda *event: None)
    threading.settrace(lambda *event: None)
    show(1)
    thread()


def deep():
    try:
        deep_down()
    except RecursionError:
        pass
    show("after")


def deep_down():
    deep_down()


def patched():
    os.write = os.getpid = None
    show(1)


def values():
    text = object()
    for value in (Bad(), "x" * 1000, {"b": 1, "a": 2}, b"x" * 10**7, [[[[[1]]]]], "\\n\\x1b\\u2603"):
        show(value)


if __name__ == "__main__":
    globals()[sys.argv[1]](*map(int, sys.argv[2:]))
"""
SHOW = "program.py:12: value"


def interpreters():
    """The Python that runs this, and the others that are installed here."""
    found = [pytest.param(None, id="this")]
    for minor in range(7, 16):
        ours = sorted(Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python"))
        path = ours[0] if ours else shutil.which(f"python3.{minor}")
        if path and not subprocess.run([path, "-c", ""], check=False, capture_output=True).returncode:
            found.append(pytest.param(str(path), id=f"3.{minor}"))
    return found


@pytest.fixture(scope="module", params=interpreters())
def every(request, backend, make_task):
    environment = Environment(python=request.param, preload=())
    with backend.start(make_task({"events.py": EVENTS}, environment=environment)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(make_session):
    return make_session({"program.py": PROGRAM}).sandbox


def line(text, source=EVENTS):
    """The number of the first line that holds a text."""
    return source[: source.index(text)].count("\n") + 1


def traced(sandbox, name, *arguments, **entries):
    expression = f"{name}({', '.join(arguments)})"
    result = sandbox.trace(script=["events.py", expression], timeout=20, **entries)
    assert not result.problems
    return result


def seen(result):
    """Rows in short: kind and values."""
    return [
        (row.kind, *(f"{name}={text}" if name else text for name, text in row.values)) for row in result.rows
    ]


# -- events, in every Python ----------------------------------------------------------------------


def test_expressions_at_a_line(every):
    at = line("total += x")
    entry = f"events.py:{at} if x > 1: total, [x + y for y in xs[1:]], nothing"
    result = traced(every, "mean", "[1, 2, 3]", points=[entry])
    raised = "nothing=raised NameError: name 'nothing' is not defined"
    assert seen(result) == [
        ("line", "total=1", "[x + y for y in xs[1:]]=[4, 5]", raised),
        ("line", "total=3", "[x + y for y in xs[1:]]=[5, 6]", raised),
    ]
    assert {(row.file, row.line, row.function) for row in result.rows} == {("events.py", at, "mean")}
    assert [row.hit for row in result.rows] == [1, 2]


def test_a_point_with_no_expression_shows_the_variables(every):
    result = traced(every, "mean", "[1]", points=[f"events.py:{line('if not xs')}"])
    assert seen(result) == [("line", "xs=[1]", "total=1", "x=1")]


def test_calls_and_returns(every):
    result = traced(every, "fact", "3", calls=["fact"])
    assert seen(result) == [
        ("call", "n=3"),
        ("call", "n=2"),
        ("call", "n=1"),
        ("return", "1"),
        ("return", "2"),
        ("return", "6"),
    ]
    assert [row.depth for row in result.rows] == [0, 1, 2, 2, 1, 0]
    assert [row.caller for row in result.rows[1:3]] == [f"events.py:{line('n * fact')}"] * 2
    assert result.hits == (3,)


def test_a_call_that_does_not_meet_the_condition_is_left_out_with_its_return(every):
    assert seen(traced(every, "fact", "3", calls=["fact if n == 2"])) == [("call", "n=2"), ("return", "2")]


def test_exceptions_that_leave_and_those_that_do_not(every):
    result = traced(every, "caught", calls=["again", "caught"])
    assert seen(result) == [("call",), ("call",), ("raise", "KeyError: 'k'"), ("return", "5")]


def test_generators(every):
    result = traced(every, "list", "numbers(2)", calls=["numbers"])
    assert seen(result) == [("call", "n=2"), ("yield", "0"), ("yield", "1"), ("return", "'end'")]
    result = traced(every, "closed", calls=["numbers"])
    assert seen(result)[1:] == [("yield", "0"), ("raise", "ZeroDivisionError: z")]


def test_coroutines_wait_without_a_row(every):
    assert seen(traced(every, "print", "asyncio.run(later(1))", calls=["later"])) == [
        ("call", "n=1"),
        ("return", "2"),
    ]
    assert seen(traced(every, "print", "asyncio.run(consume())", calls=["stream"])) == [
        ("call",),
        ("yield", "a value"),
        ("return", "None"),
    ]


def test_every_form_of_assignment(every):
    result = traced(every, "mean", "[1, 2]", assignments=["mean:total", "events.mean:x"])
    assert seen(result) == [
        ("assign", "total=0"),
        ("assign", "x=1"),
        ("assign", "total=1"),
        ("assign", "x=2"),
        ("assign", "total=3"),
    ]
    result = traced(every, "outer", assignments=["outer:seen", "outer:first", "outer:file"])
    assert [text.partition("=")[0] for _, text in seen(result)] == ["seen", "seen", "first", "first", "file"]
    assert [text for _, text in seen(result)][:4] == ["seen=0", "seen=1", "first=1", "first=2"]
    assert [row.line for row in result.rows][1] == line("seen += 1")
    assert seen(traced(every, "fact", "2", assignments=["events.py:n"])) == [
        ("assign", "n=2"),
        ("assign", "n=1"),
    ]


def test_assignments_to_attributes(every):
    result = traced(every, "print", "Stack().push(1).push(2)", assignments=["Stack:self.items"])
    assert seen(result) == [("assign", f"self.items={items}") for items in ("[]", "[1]", "[1, 2]")]


def test_an_assignment_is_told_before_the_line_after_it(every):
    at = line("total += x")
    result = traced(every, "mean", "[1, 2]", assignments=["mean:x"], points=[f"events.py:{at}: x"])
    assert [row.kind for row in result.rows] == ["assign", "line"] * 2


def test_the_code_that_a_shared_line_means(every):
    at = line("twice =")
    assert seen(traced(every, "twice", "4", points=[f"events.py:{at}: y"])) == [("line", "y=4")]
    at = line("def squares")
    assert seen(traced(every, "squares", "2", points=[f"events.py:{at}: n"])) == [("line", "n=2")]


def test_a_statement_of_several_lines_is_one_hit_each_time(every):
    result = traced(every, "several", points=[f"events.py:{line('got = max')}: i"])
    assert seen(result) == [("line", "i=0"), ("line", "i=1")]


def test_a_point_at_a_definition_means_its_first_line(every):
    result = traced(every, "mean", "[1]", points=[f"events.py:{line('def mean')}: xs"])
    assert [(row.line, row.values) for row in result.rows] == [(line("total = 0"), (("xs", "[1]"),))]


def test_functions_of_the_standard_library(every):
    result = traced(every, "print", "__import__('textwrap').dedent(' x')", calls=["textwrap.dedent"])
    assert [(row.kind, row.file, row.function) for row in result.rows] == [
        ("call", "textwrap.py", "dedent"),
        ("return", "textwrap.py", "dedent"),
    ]


def test_what_stands_for_many_functions(every):
    for scope in ("Stack", "events.Stack", "events.py:Stack"):
        result = traced(every, "print", "Stack().push(1)", calls=[scope])
        assert [row.function for row in result.rows if row.kind == "call"] == ["Stack.__init__", "Stack.push"]
    result = traced(every, "fact", "1", calls=["events.py"])
    assert [row.function for row in result.rows] == ["fact", "fact"]


# -- bounds and ends ---------------------------------------------------------------------------------


def test_hits_beyond_the_limit_are_counted(sandbox):
    first = sandbox.trace(script=["program.py", "loop", "3000"], points=[SHOW], hits=2)
    last = sandbox.trace(script=["program.py", "loop", "3000"], points=[SHOW], hits=2, keep="last")
    assert (first.hits, last.hits) == ((3000,), (3000,))
    assert [row.values[0][1] for row in first.rows] == ["0", "1"]
    assert [row.values[0][1] for row in last.rows] == ["2998", "2999"]


@pytest.mark.parametrize("keep", ["first", "last", "both"])
def test_a_run_into_the_time_limit_gives_what_there_is(sandbox, keep):
    started = time.monotonic()
    result = sandbox.trace(script=["program.py", "forever"], points=[SHOW], hits=3, keep=keep, timeout=0.5)
    assert time.monotonic() - started < 5
    assert result.run.timed_out
    assert len(result.rows) == 3
    assert result.hits[0] > 3


@pytest.mark.parametrize(("name", "code"), [("leave", 3), ("die", -9)])
def test_a_sudden_end_keeps_the_rows(sandbox, name, code):
    result = sandbox.trace(script=["program.py", name], points=[SHOW], calls=["show"])
    assert result.run.exit_code == code
    assert [row.kind for row in result.rows] == ["call", "line", "return"]


def test_out_of_memory(make_session):
    limits = Limits(memory=256 << 20)
    sandbox = make_session(
        {"program.py": "def f(n):\n    x = bytes(n)\n\nf(1)\nf(1 << 40)\n"}, limits=limits
    ).sandbox
    result = sandbox.trace(script=["program.py"], calls=["f"])
    assert seen(result)[-1] == ("raise", "MemoryError")
    assert result.run.exit_code == 1


def test_forked_processes_are_told_apart(sandbox):
    result = sandbox.trace(script=["program.py", "fork"], points=[SHOW])
    assert [(row.values[0][1], row.process) for row in result.rows] == [("'child'", 1), ("'parent'", 0)]


def test_threads_have_names(sandbox):
    assert [row.thread for row in sandbox.trace(script=["program.py", "thread"], points=[SHOW]).rows] == [
        "worker"
    ]


def test_a_program_that_sets_a_trace_function_loses_no_rows(sandbox):
    result = sandbox.trace(script=["program.py", "settrace"], points=[SHOW])
    assert len(result.rows) == 2
    at = line("sys.settrace", PROGRAM)
    assert result.run.note in (
        "",
        f"the program called sys.settrace() at program.py:{at}, which had no effect",
    )


def test_rows_that_the_recursion_limit_costs_are_not_missed_silently(sandbox):
    result = sandbox.trace(script=["program.py", "deep"], points=[SHOW], calls=["deep_down"], hits=2)
    assert "rows may be missing" in result.run.note or result.rows[-1].values == (("value", "'after'"),)


def test_what_the_program_patches_does_not_matter(sandbox):
    assert len(sandbox.trace(script=["program.py", "patched"], points=[SHOW]).rows) == 1


def test_values_are_short_whatever_they_are(sandbox):
    values = [row.values[0][1] for row in sandbox.trace(script=["program.py", "values"], points=[SHOW]).rows]
    assert values[0] == "<Bad, whose repr raises ValueError: no repr>"
    assert values[1].startswith("'xxxx")
    assert "..." in values[1]
    assert values[2] == "{'b': 1, 'a': 2}"
    assert all(len(value) <= 200 for value in values)
    assert values[5] == r"'\n\x1b☃'"


def test_an_expression_leaves_the_variables_alone(sandbox):
    result = sandbox.trace(
        script=["program.py", "loop", "2"], points=["program.py:12: (value := 7)"], calls=["show"]
    )
    assert [row.values[0][1] for row in result.rows if row.kind == "return"] == ["0", "1"]


def test_a_program_cannot_forge_more_than_rows(make_session):
    program = """import os
for fd in range(3, 1024):
    try:
        os.write(fd, b'[0, 1, "line"]\\n[0,1,"line","a",1,"f",0,"",0,[1],""]\\n{"problem": "x"}\\nnull\\n' + b"[" * 70000)
    except OSError:
        pass
"""
    sandbox = make_session({"program.py": program}).sandbox
    result = sandbox.trace(script=["program.py"], points=["program.py:2: fd"])
    assert len(result.rows) <= 40
    assert sandbox.exec("echo alive").output == "alive\n"


# -- tests --------------------------------------------------------------------------------------------

TESTS = {
    "conftest.py": "import pytest\n\n@pytest.fixture\ndef one():\n    return 1\n",
    "test_a.py": """import unittest

def test_first():
    assert 1

def test_second(one):
    got = one + 1
    assert got == (
        3
    )

def test_third():
    assert 0

class TestCase(unittest.TestCase):
    def test_case(self):
        self.seen = 3
        self.assertEqual(self.seen, 3)
""",
}


def test_all_tests_up_to_the_first_failure(make_session):
    sandbox = make_session(TESTS).sandbox
    result = sandbox.trace(points=["test_a.py:8: got"], calls=["one", "test_a.py"])
    assert result.run.outcomes == {"test_a.py::test_first": "passed", "test_a.py::test_second": "failed"}
    assert seen(result)[2:] == [
        ("call",),
        ("return", "1"),
        ("call", "one=1"),
        ("line", "got=2"),
        ("raise", "AssertionError: assert 2 == 3"),
    ]


def test_one_test_and_unittest(make_session):
    sandbox = make_session(TESTS).sandbox
    result = sandbox.trace(test="test_a.py::TestCase::test_case", assignments=["TestCase:self.seen"])
    assert seen(result) == [("assign", "self.seen=3")]
    assert result.run.outcomes == {"test_a.py::TestCase::test_case": "passed"}


def test_tests_stay_in_one_process(make_session):
    pytest.importorskip("xdist")
    sandbox = make_session({**TESTS, "pytest.ini": "[pytest]\naddopts = -n 2\n"}).sandbox
    assert len(sandbox.trace(calls=["one"]).rows) == 2


def test_changed_files_are_traced_as_they_are_now(make_session):
    sandbox = make_session(TESTS).sandbox
    sandbox.trace(calls=["one"])
    sandbox.write("conftest.py", TESTS["conftest.py"].replace("return 1", "return 2").encode())
    result = sandbox.trace(calls=["one"])
    assert seen(result) == [("call",), ("return", "2")]


def test_problems_are_all_told_and_nothing_runs(sandbox):
    entries = {
        "points": [
            "progam.py:1: x",
            "program.py:11: x",
            "program.py:900",
            "program.py:12: x +",
            "x",
            "program.py:12 x",
        ],
        "calls": ["shoe", "Bad.__rper__", "program.py:qqqq_qqqq", "show if )"],
        "assignments": ["total", "loop:j", "program.py:12"],
    }
    result = sandbox.trace(script=["program.py", "leave"], **entries)
    assert result.rows == ()
    assert result.run.exit_code == 2
    told = dict(problem.split("': ", 1) for problem in result.problems)
    assert told == {
        "point 'progam.py:1: x": "there is no file progam.py; did you mean program.py?",
        "point 'program.py:900": "line 900 of program.py holds no code; the nearest line that does is 82",
        "point 'program.py:11: x": "line 11 of program.py holds no code; the nearest line that does is 12",
        "point 'program.py:12: x +": "'x +' is no expression: invalid syntax",
        "point 'x": 'it names no file and line; write it as "calc.py:12: total, x" or "calc.py:12 if n > 3: total"',
        "point 'program.py:12 x": "what follows the line number is not understood; write it as "
        '"calc.py:12: total, x" or "calc.py:12 if n > 3: total"',
        "call 'shoe": "there is no Python function, class or module of that name; did you mean show?",
        "call 'Bad.__rper__": "there is no Python function, class or module of that name; did you mean Bad.__repr__?",
        "call 'program.py:qqqq_qqqq": "there is no Python function, class or module of that name",
        "call 'show if )": "its condition is no expression: unmatched ')'",
        "assignment 'total": 'write it as "calc.mean:total" or "Stack:self.items": a function, class, module or '
        "file, a colon, and the name",
        "assignment 'loop:j": "nothing in loop assigns j; it assigns i, n",
        "assignment 'program.py:12": 'write it as "calc.mean:total" or "Stack:self.items": a function, class, '
        "module or file, a colon, and the name",
    }


def test_functions_with_nothing_to_record_are_not_followed_line_by_line(every):
    program = """import sys

def recorded(x):
    return x

def elsewhere():
    return sys._getframe().f_trace

print(recorded(1), elsewhere())
"""
    every.write("plain.py", program.encode())
    result = every.trace(script=["plain.py"], points=["plain.py:4: x"], calls=["recorded"])
    assert result.run.output == "1 None\n"
    assert len(result.rows) == 3
