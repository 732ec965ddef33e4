"""What a command means: names of functions from anywhere, counts, and statements of several lines."""

import pytest

from debug_gym.task import Environment

RUN = """from pack.shop import Shop
import json


def added(n, scale):
    return n * scale


def work(n):
    first = added(
        n,
        scale=2,
    )
    total = sum(
        range(first),
        0,
    ) + added(n,
              3)
    for i in range(
        2
    ):
        total += i
    return [
        first,
        total,
    ]


json.dumps({})
print(work(3))
Shop().price()
"""
CLEANS = """def cleans(n):
    try:
        return 6 // n
    finally:
        print(
            n,
            1,
        )


cleans(2)
cleans(0)
"""
SHOP = """class Shop:
    class Till:
        def count(self):
            return 0

    def price(self):
        return 3
"""
LATE = """import functools


class First:
    def __init__(self):
        self.n = 1


class Second:
    @functools.lru_cache(None)
    def __init__(self):
        self.n = 2


class Late:
    def price(self):
        return 4


def only_here():
    return 5
"""


@pytest.fixture(scope="module")
def sandbox(backend, make_task, python):
    files = {"run.py": RUN, "pack/__init__.py": "", "pack/shop.py": SHOP, "pack/late.py": LATE}
    with backend.start(make_task(files, environment=Environment(python=python))) as sandbox:
        yield sandbox


@pytest.fixture(params=["idle", "in a library", "at the start"])
def somewhere(sandbox, request):
    sandbox.debug_start(script=["run.py"], at="idle" if request.param == "idle" else "start")
    if request.param == "in a library":
        assert sandbox.debug("b json.dumps\nc\ncl").stop.function == "dumps"
    return sandbox


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("Shop.price", "pack/shop.py:7"),
        ("Shop.Till.count", "pack/shop.py:4"),
        ("Late.price", "pack/late.py:17"),
        ("only_here", "pack/late.py:21"),
    ],
)
def test_a_method_is_found_from_anywhere(somewhere, name, place):
    assert f" at {place}" in somewhere.debug(f"b {name}\ncl").output


@pytest.mark.parametrize("name", ["late.Late.price", "pack.late.Late.price", "late.only_here"])
def test_a_module_is_named_by_the_end_of_its_path(somewhere, name):
    assert " at pack/late.py:" in somewhere.debug(f"b {name}\ncl").output


def test_of_several_functions_of_one_name_the_right_one_is_taken(sandbox):
    sandbox.write("several.py", b"from pack.late import First, Second\nx = 1\n")
    sandbox.debug_start(script=["several.py"], at="start")
    output = sandbox.debug("n\nb First.__init__\nb Second.__init__\nb pack/late.py:__init__\ncl").output
    assert "Breakpoint 1 at pack/late.py:6\n" in output
    assert "Breakpoint 2 at pack/late.py:12\n" in output
    assert (
        "*** '__init__' is the name of several functions, say which: First.__init__, Second.__init__"
        in output
    )


def test_a_name_that_means_several_is_refused_with_all_of_them(somewhere):
    output = somewhere.debug("b price").output
    assert output.startswith("*** ")
    assert "b pack/late.py:Late.price" in output
    assert "b pack/shop.py:Shop.price" in output
    assert "no function or file 'nothing'" in somewhere.debug("b nothing").output


@pytest.mark.parametrize("command", ["c 3", "n 2", "s 5", "r 1", "cont 10", "checkpoints 2", "ll 7"])
def test_a_count_where_none_is_taken_is_told(sandbox, command):
    stop = sandbox.debug_start(script=["run.py"], at="start").stop
    reply = sandbox.debug(command)
    word = command.split()[0]
    assert reply.output.startswith(f"*** `{word}` takes no count: send it several times, one a line")
    assert reply.stop == stop


def test_a_statement_of_several_lines_is_passed_once(sandbox):
    sandbox.debug_start(script=["run.py"], at="start")
    lines = [sandbox.debug("b work\nc\ncl").stop.line]
    while (stop := sandbox.debug("n").stop).reason == "step":
        lines.append(stop.line)
    before_loop = lines[: lines.index(19)]
    assert len(before_loop) == len(set(before_loop))
    assert lines[0] == 10
    assert 14 in lines


def test_a_step_from_the_last_line_of_a_call_enters_it(sandbox):
    sandbox.debug_start(script=["run.py"], at="start")
    assert sandbox.debug("b 12\nc").stop.line == 12
    assert sandbox.debug("s").stop.function == "added"


def test_a_breakpoint_on_a_statement_of_several_lines_is_hit_once(sandbox):
    sandbox.debug_start(script=["run.py"], at="start")
    assert sandbox.debug("b 10\nc").stop.reason == "breakpoint 1"
    reply = sandbox.debug("c")
    assert reply.ended
    assert reply.breakpoints[0].hits == 1


def test_a_breakpoint_after_finally_is_hit_on_each_way(sandbox):
    sandbox.write("cleans.py", CLEANS.encode())
    sandbox.debug_start(script=["cleans.py"], at="start")
    sandbox.debug("b 6")
    assert [sandbox.debug("c").stop.line for _ in range(2)] == [6, 6]
