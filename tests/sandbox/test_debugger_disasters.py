"""Pulling the plug: whatever a program or a command does, the session goes on, and says what is lost."""

import sys
import time

import pytest

from debug_gym.task import Limits

PROGRAM = """import ctypes, faulthandler, json, os, pickle, re, resource, signal, sys, threading, time

hoard = []


class Slow:
    def __repr__(self):
        time.sleep(1000)


class Last:
    def __repr__(self):
        os._exit(7)


def unlimited():
    sys.setrecursionlimit(10**9)
    return nested(10**5)


def nested(depth):
    found = []
    for _ in range(depth):
        found = [found]
    return found


def descriptors():
    try:
        while True:
            hoard.append(open(os.devnull))
    except OSError:
        return len(hoard)


def deaf():
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    while True:
        pass


def orphan():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(60)
        os._exit(0)


def main():
    kept = 5
    value = eval(sys.argv[1])
    return value


main()
"""
STOP = PROGRAM[: PROGRAM.index("    value =")].count("\n") + 1
LIMIT = 0.5
"""Seconds that each command may take."""
CRASH = "the program was killed by SIGSEGV"
DEAF = "the program ran into the time limit, did not react to an interrupt"
ENDS = [
    ("n", "os._exit(3)", "the program ended with exit code 3"),
    ("until", "os._exit(0)", "the program ended with exit code 0"),
    ("c", "os.execv('/bin/true', ['true'])", "the program ended with exit code 0"),
    ("p os._exit(3)", "0", "the program ended with exit code 3"),
    ("p Last()", "0", "the program ended with exit code 7"),
    ("display Last()\nn", "Last()", "the program ended with exit code 7"),
    (f"tbreak {STOP + 1}, os._exit(3)\nc", "0", "the program ended with exit code 3"),
    ("n", "os.closerange(0, 4096)", "the program ended with exit code"),
    ("c", "os.abort()", "the program was killed by SIGABRT"),
    ("n", "os.kill(0, 9)", "the program was killed by SIGKILL"),
    ("until", "os.kill(0, 15)", "the program was killed by SIGTERM"),
    ("c", "os.kill(os.getpid(), 63)", "the program was killed by signal 63"),
    ("n", "signal.setitimer(signal.ITIMER_REAL, 0.1) and time.sleep(9)", "the program was killed by SIGALRM"),
    ("p faulthandler.enable() or ctypes.string_at(0)", "0", CRASH),
    ("c", "faulthandler.dump_traceback_later(0.1, exit=True) or time.sleep(9)", "ended with exit code 1"),
    ("c", "os.kill(os.getpid(), 19)", DEAF),
    ("p os.kill(0, 19)", "0", DEAF),
    ("n", "deaf()", DEAF),
    ("p sum(range(10**13))", "0", DEAF),
    ("c", "signal.signal(64, signal.SIG_IGN) and deaf()", DEAF),
]
"""A command, what the program does in the line where it stands, and what is said about its end."""
SURVIVALS = [
    ("n", "os.kill(-1, 9)"),
    ("n", "os.kill(-1, 15)"),
    ("n", "os.kill(-1, 19)"),
    ("n", "os.kill(-1, 63)"),
    ("n", "os.kill(os.getppid(), 9)"),
    ("n", "descriptors()"),
    ("n", "resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))"),
    ("n", "[os.close(number) for number in (0, 1, 2)]"),
    ("n", "setattr(sys, 'stdout', 3)"),
    ("n", "sys.modules.clear()"),
    ("n", "sys.settrace(print)"),
    ("n", "orphan()"),
    ("n", "b'1' * (1 << 45)"),
    ("p Slow()", "0"),
    ("Slow()", "0"),
    ("display Slow()", "0"),
    ("p re.match('(a+)+$', 'a' * 40 + 'b')", "0"),
    ("p exit()", "0"),
    ("p nested(10**5) == nested(10**5)", "0"),
    ("interact", "0"),
]
DEEP = [("n", "json.loads('[' * 10**6 if unlimited() else '')"), ("until", "pickle.dumps(unlimited())")]
if sys.version_info >= (3, 12):  # C code has a recursion limit of its own
    SURVIVALS += DEEP
else:
    ENDS += [(*entry, CRASH) for entry in DEEP]


@pytest.fixture(scope="module")
def sandbox(backend, make_task):
    with backend.start(make_task({"program.py": PROGRAM})) as sandbox:
        yield sandbox


@pytest.fixture
def stand(sandbox):
    """``stand(expression)``: the stop in front of the line that evaluates it. Beforehand there was another."""

    def start(expression):
        sandbox.debug_start(script=["program.py", expression], at="start")
        return sandbox.debug(f"tbreak {STOP}\nc").stop

    yield start
    sandbox.debug_stop()


def within_the_limit(sandbox, command):
    started = time.monotonic()
    reply = sandbox.debug(command, timeout=LIMIT)
    assert time.monotonic() - started < LIMIT + 5  # a second for the interrupt; the rest is for busy machines
    return reply


@pytest.mark.parametrize(("command", "expression", "words"), ENDS)
def test_an_end_is_told_and_the_session_is_back_at_the_last_stop(sandbox, stand, command, expression, words):
    before = stand(expression)
    reply = within_the_limit(sandbox, command)
    assert words in reply.output
    assert "\nback at the last stop, 2; from here, `c` would end the same way\n" in reply.output
    assert (reply.stop, reply.ended) == (before, False)
    assert sandbox.debug("p kept").output == "5\n"
    assert sandbox.debug("back").stop.reason == "start"


@pytest.mark.parametrize(("command", "expression"), SURVIVALS)
def test_what_does_not_end_the_program_leaves_the_session_as_it_is(sandbox, stand, command, expression):
    stand(expression)
    assert not within_the_limit(sandbox, command).ended
    assert sandbox.debug("p kept").output.endswith("5\n")
    listed = sandbox.debug("checkpoints").output
    reply = sandbox.debug("back\np 6")
    if listed == "There are no checkpoints.\n" or listed.count("\n") == 2:  # it has killed the earlier ones
        assert reply.output.startswith("*** there is no earlier stop to go back to\n")
    assert reply.output.endswith("6\n")


EATER = """import mmap, time


def hold():
    found = []
    while True:
        found.append(mmap.mmap(-1, 4 << 20))  # what no limit of a single process sees
        found[-1].write(b"1" * (4 << 20))
        time.sleep(0.02)


for n in range(9):
    n
{expression}
hold()
"""


@pytest.mark.parametrize(("command", "expression"), [("c", "0"), ("p hold()", "hold()"), ("n", "hold()")])
def test_a_program_that_runs_out_of_memory_is_back_at_the_last_stop(backend, make_task, command, expression):
    """The checkpoints' share of the memory is small: the one of the last stop is spared."""
    source = EATER.format(expression=expression)
    with backend.start(make_task({"eat.py": source}, limits=Limits(memory=200 << 20))) as sandbox:
        sandbox.debug_start(script=["eat.py"], at="start")
        before = sandbox.debug("tbreak 14\nn\nn\nn\nc").stop
        reply = sandbox.debug(command, timeout=30)
        assert (
            "the program was killed: out of memory (the limit is 200 MiB)\nback at the last stop, "
            in reply.output
        )
        assert reply.stop == before
        assert sandbox.debug("p n").output == "8\n"


def test_a_program_that_dies_while_it_stands_still(sandbox, stand):
    before = stand("threading.Timer(0.1, os._exit, (5,)).start()")
    assert sandbox.debug("n").stop.line == before.line + 1
    time.sleep(0.3)
    reply = sandbox.debug("p kept")
    assert "the program ended with exit code 5\nback at the last stop, 3;" in reply.output
    assert sandbox.debug("p kept").output == "5\n"


def test_too_many_processes_cost_the_session_and_nothing_else(sandbox, stand):
    stand("0")
    sandbox.debug("[os.fork() for _ in iter(int, 1)]", timeout=LIMIT)
    reply = sandbox.debug("p kept")
    assert "5\n" in reply.output or reply.output.startswith("the debugged program is gone: every process")
    assert stand("0").line == STOP


# -- bounds ---------------------------------------------------------------------------------------------------

LOOP = "i = 0\nwhile i < 500:\n    i += 1\n"


def test_the_latest_64_stops_are_kept(sandbox):
    sandbox.write("loop.py", LOOP.encode())
    sandbox.debug_start(script=["loop.py"], at="start")
    sandbox.debug("\n".join(["n"] * 70), timeout=60)
    rows = sandbox.debug("checkpoints").output.splitlines()[1:]
    assert [int(row.split()[0]) for row in rows] == list(range(8, 72))
    assert sandbox.debug("back 63\np i").output.endswith("\n3\n")
    sandbox.debug_stop()


def test_checkpoints_together_keep_to_a_quarter_of_the_memory(backend, make_task):
    source = "for n in range(40):\n    x = bytearray(b'1' * (8 << 20))\n"
    limits = Limits(memory=320 << 20)
    with backend.start(make_task({"big.py": source}, limits=limits)) as sandbox:
        sandbox.debug_start(script=["big.py"], at="start")
        for _ in range(4):
            assert not sandbox.debug("\n".join(["n"] * 10), timeout=60).ended
            used = sandbox.exec(
                "cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '/^Pss:/ {n += $2} END {print n}'"
            )
            assert 20 << 20 < int(used.output) << 10 < (80 + 60) << 20  # 60: the program, and the runtime
        assert len(sandbox.debug("checkpoints").output.splitlines()) > 4
