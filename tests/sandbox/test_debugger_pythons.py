"""The debugger beside Python's own, in every Python that is installed here."""

import re
import shutil
import subprocess
from pathlib import Path

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
SAME = (
    "p found", "p found +", "p nothing", "found", "len(found) * 2", "a", "args", "whatis numbers", "whatis n",
    "!x = 3", "x", "whatis found", "retval", "p [i for i in range(3)]", "d", "j nowhere", "until 1", "display n",
    "display", "undisplay y", "alias hi p 'hi'", "hi", "unalias hi", "p self", "pp [text] * 40", "found[0]",
    "ignore 1 2", "condition 1", "p n, more, scale", "print(text)", "u", "p first", "h nothing",
)  # fmt: skip
STEPS = "n n s s r u d n until n n s n n s s n u d n s n n".split()
PLACE = re.compile(r"> /workspace/(\w+\.py)\((\d+)\)(\S+?)\(\)")


def interpreters():
    """The Python that runs this, and the others that are installed here."""
    found = {}
    for minor in range(8, 16):
        candidates = [
            *Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python"),
            shutil.which(f"python3.{minor}"),
        ]
        for path in filter(None, candidates):
            if subprocess.run([path, "-c", ""], check=False, capture_output=True).returncode == 0:
                found[f"3.{minor}"] = str(path)
                break
    others = [pytest.param(path, id=name) for name, path in found.items()]
    missing = pytest.param("", id="another", marks=pytest.mark.skip("no other Python is installed here"))
    return [pytest.param(None, id="this"), *(others or [missing])]


@pytest.fixture(scope="module", params=interpreters())
def sandbox(request, backend, make_task):
    with backend.start(
        make_task({"run.py": PROGRAM}, environment=Environment(python=request.param))
    ) as sandbox:
        yield sandbox


def of_standard_pdb(sandbox, commands):
    """What ``python -m pdb`` says to each command."""
    text = "\n".join([*commands, "q", ""])
    said = sandbox.exec(["python", "-m", "pdb", "run.py"], stdin=text.encode(), timeout=30).output
    return said.split("(Pdb) ")[1:]


def test_values_are_shown_as_by_the_standard_library(sandbox):
    setup = [f"b {AT}", "c"]
    theirs = of_standard_pdb(sandbox, [*setup, *SAME])[len(setup) :]
    sandbox.debug_start(script=["run.py"], at="start")
    for command in setup:
        sandbox.debug(command)
    for command, said in zip(SAME, theirs, strict=False):
        ours = sandbox.debug(command).output
        if not PLACE.match(said):
            assert ours == said, command


def test_steps_go_where_they_go_in_the_standard_library(sandbox):
    setup = [f"b {AT - 3}", "c"]
    theirs = [PLACE.search(said) for said in of_standard_pdb(sandbox, [*setup, *STEPS])[len(setup) :]]
    sandbox.debug_start(script=["run.py"], at="start")
    for command in setup:
        sandbox.debug(command)
    ours = []
    for command in STEPS:
        reply = sandbox.debug(command)
        frame = re.search(r"^frame at (\S+):(\d+) in (\S+)", reply.output, re.MULTILINE)
        ours.append(frame.groups() if frame else (reply.stop.file, str(reply.stop.line), reply.stop.function))
    assert ours == [found and found.groups() for found in theirs[: len(ours)]]


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
