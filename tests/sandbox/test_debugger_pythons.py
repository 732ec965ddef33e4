"""The debugger in every Python that is installed here."""

import pytest

from debug_gym.task import Environment

PROGRAM = """def numbers(n):
    for i in range(n):
        yield i * 2


def added(n, *more, scale=1):
    found = list(numbers(n))
    text = "☃"
    result = sum(found) * scale
    return result


class Shop:
    def __init__(self, price):
        self.price = price


def main():
    shop = Shop(3)
    first = added(3, shop.price)
    second = added(
        4,
        scale=2,
    )
    try:
        shop.nothing
    except AttributeError:
        pass
    return first + second


print("result", main())
"""
AT = PROGRAM[: PROGRAM.index("    return result")].count("\n") + 1


@pytest.fixture(scope="module")
def sandbox(backend, make_task, python):
    with backend.start(make_task({"run.py": PROGRAM}, environment=Environment(python=python))) as sandbox:
        yield sandbox


def test_stops_are_the_same_in_every_python(sandbox):
    sandbox.debug_start(script=["run.py"], at="start")
    sandbox.debug(f"b {AT}, n == 4\nb numbers")
    stops = [sandbox.debug("c").stop for _ in range(3)]
    assert [(stop.function, stop.reason) for stop in stops] == [("numbers", "breakpoint 2")] * 3
    reply = sandbox.debug("cl 2\nc\n[n for _ in range(2)]")
    assert reply.stop.reason == "breakpoint 1"
    assert reply.output.endswith("\n[4, 4]\n")
    reply = sandbox.debug("c")
    assert (reply.program, reply.exit_code) == ("result 30\n", 0)


def test_going_back_is_the_same_in_every_python(sandbox):
    sandbox.debug_start(script=["run.py"], at="start")
    stop = sandbox.debug(f"b {AT}\nc").stop
    assert sandbox.debug("c\np n").output.endswith("\n4\n")
    assert sandbox.debug("back\np n").output.endswith("\n3\n")
    assert sandbox.debug("import os; os._exit(1)").stop == stop
    assert sandbox.debug("goto 1\ncl\nb 3\nc").stop.reason == "breakpoint 2"
    assert sandbox.debug("cl\nc").exit_code == 0
    assert sandbox.debug("back 2\nc").program == "result 30\n"


def test_an_interrupted_loop_can_be_stepped_and_watched(sandbox):
    sandbox.write(
        "endless.py", b"def f():\n    i = 0\n    while i >= 0:\n        i += 1\n        i += 1\n\n\nf()\n"
    )
    sandbox.debug_start(script=["endless.py"], at="start")
    assert sandbox.debug("c", timeout=0.1).stop.reason == "interrupted"
    assert sandbox.debug("n").stop.reason == "step"
    lines = [sandbox.debug(command).stop.line for command in ("b 5\nc", "n", "c", "cl\nb 4\nc")]
    assert lines in ([5, 3, 5, 4], [5, 4, 5, 4])  # a loop's head is a line of its own, or is not


def test_a_loop_beside_a_breakpoint_keeps_its_speed(sandbox):
    source = """
import time

def loop():
    s = 0
    for i in range(100_000):
        s += i

def other():
    return 1

def fastest():
    times = []
    for _ in range(7):
        start = time.process_time()
        loop()
        times.append(time.process_time() - start)
    return min(times)

alone = fastest()
other()
print(fastest() / alone)
other()
"""
    sandbox.write("speed.py", source.encode())
    sandbox.debug_start(script=["speed.py"], at="start")
    sandbox.debug("b other\nc")
    reply = sandbox.debug("c")
    assert reply.stop.function == "other"
    assert float(reply.program) < 8  # bdb alone: about 40


def test_chained_exceptions_can_be_looked_at_in_every_python(sandbox):
    source = """def first():
    return {}["a"]


def second():
    try:
        first()
    except KeyError:
        raise ValueError("b")


second()
"""
    sandbox.write("chain.py", source.encode())
    reply = sandbox.debug_start(script=["chain.py"], at="failure")
    assert reply.stop.function == "second"
    shown = sandbox.debug("exceptions").output.replace("',)", "')")  # as Python 3.6 shows them
    assert shown == "    0 KeyError('a')\n>   1 ValueError('b')\n"
    assert sandbox.debug("exceptions 0").stop.function == "first"
    assert "debug/program.py" in sandbox.debug("exceptions 1\nset machinery on\nwhere").output


def test_settings_are_the_same_in_every_python(sandbox):
    sandbox.debug_start(script=["run.py"], at="start")
    reply = sandbox.debug(f"set changes on\nb {AT - 2}\nc")
    assert "    n = 3  (new)\n" in reply.output
    reply = sandbox.debug("n\nset changes off\nset machinery on\nwhere")
    assert "    text = '☃'  (new)\n" in reply.output
    assert "debug/program.py" in reply.output
    assert "debug/program.py" not in sandbox.debug("set machinery off\nn\nwhere").output


def test_coroutines_are_the_same_in_every_python(sandbox):
    source = """import asyncio


async def child(n):
    await asyncio.sleep(0)
    return n


async def main():
    found = await child(1)
    return found


asyncio.run(main())
print(list(n for n in range(2)))
"""
    if sandbox.exec(["python", "-c", "import asyncio; asyncio.run"]).exit_code:
        pytest.skip("Python 3.6 has no asyncio.run")
    sandbox.write("coroutine.py", source.encode())
    sandbox.debug_start(script=["coroutine.py"], at="start")
    lines = [sandbox.debug(command).stop.line for command in ("b child\nc\ncl", "r", "n", "n")]
    assert lines == [5, 11, 15, 15]
    sandbox.debug_start(script=["coroutine.py"], at="start")
    assert [sandbox.debug(command).stop.line for command in ("b main\nc\ncl", "r")] == [10, 15]


def test_code_that_is_in_no_file_has_no_source(backend, make_task, python):
    source = "import traceback\n\ntry:\n    exec('\\n\\n1 / 0')\nexcept ZeroDivisionError:\n    traceback.print_exc()\n"
    with backend.start(make_task({"run.py": source}, environment=Environment(python=python))) as sandbox:
        sandbox.debug_start(script=["run.py"], at="start")
        program = sandbox.debug("c").program
        assert program.endswith(
            '  File "<string>", line 3, in <module>\nZeroDivisionError: division by zero\n'
        )
