"""Programs under the debugger: how they end, and what they may do meanwhile."""

import time

import pytest

from debug_gym.task import Limits

PROGRAM = """import sys


def loop():
    i = 0
    while True:
        i += 1


def sleep():
    import time

    time.sleep(1000)


def deaf():
    return sum(range(10**13))


def leave():
    import os

    os._exit(9)


def crash():
    import os

    os.kill(os.getpid(), 11)


def segfault():
    import ctypes

    ctypes.string_at(0)


def die():
    import os

    os.kill(os.getpid(), 9)


def real_time():
    import os
    import signal

    os.kill(os.getpid(), signal.SIGRTMIN + 3)


def fail():
    return {}["☃"]


def double(n):
    found = n * 2
    return found


def thread():
    import threading

    worker = threading.Thread(target=double, args=(3,))
    worker.start()
    worker.join()
    return double(4)


def coroutine():
    import asyncio

    async def later(n):
        await asyncio.sleep(0)
        found = n + 1
        return found

    return asyncio.run(later(4))


def stopping():
    import pdb

    before = 1
    breakpoint()
    after = before + 1
    pdb.set_trace()
    return after


def tracing():
    sys.settrace(lambda *event: None)
    double(2)
    sys.settrace(None)
    return double(3)


def forking():
    import os

    child = os.fork()
    if child == 0:
        os._exit(double(3))
    return os.waitpid(child, 0)[1] >> 8


def babbling():
    import os

    os.write(900, b"\\xff" * 100)


def reading():
    try:
        input("? ")
    except EOFError:
        print("EOF")
    print(repr(sys.stdin.read()))


if __name__ == "__main__":
    print("begin")
    print("result", globals()[sys.argv[1]]())
"""


@pytest.fixture(scope="module")
def sandbox(backend, make_task):
    with backend.start(make_task({"program.py": PROGRAM})) as sandbox:
        yield sandbox


def line_of(text):
    return next(n for n, line in enumerate(PROGRAM.split("\n"), 1) if line.strip() == text)


def program(sandbox, function, *commands):
    """Debug a function of program.py; the last reply."""
    reply = sandbox.debug_start(script=["program.py", function], at="start")
    for command in commands:
        reply = sandbox.debug(command)
    return reply


def where(reply):
    return reply.stop and (reply.stop.file, reply.stop.line, reply.stop.function, reply.stop.reason)


# -- how it ends --------------------------------------------------------------------------------------


def test_an_endless_loop_is_interrupted_where_it_is(sandbox):
    program(sandbox, "loop")
    reply = sandbox.debug("c", timeout=0.2)
    assert reply.interrupted
    assert (reply.stop.function, reply.stop.reason) == ("loop", "interrupted")
    assert reply.program == "begin\n"
    first = int(sandbox.debug("p i").output)
    stepped = sandbox.debug("n")
    assert (stepped.stop.function, stepped.stop.reason, stepped.interrupted) == ("loop", "step", False)
    assert sandbox.debug("c", timeout=0.1).interrupted
    assert int(sandbox.debug("p i").output) > first


def test_sleep_is_interrupted(sandbox):
    program(sandbox, "sleep")
    reply = sandbox.debug("c", timeout=0.1)
    assert (reply.interrupted, reply.stop.function) == (True, "sleep")


@pytest.mark.parametrize(
    "command", ["while True: pass", "p [i for i in iter(int, 1)]", "import time; time.sleep(99)"]
)
def test_a_command_that_does_not_end_is_interrupted(sandbox, command):
    before = program(sandbox, "sleep")
    reply = sandbox.debug(command, timeout=0.1)
    assert reply.interrupted
    assert reply.output == "*** KeyboardInterrupt\n"
    assert where(reply) == where(before)
    assert sandbox.debug("1 + 1").output == "2\n"


def test_a_breakpoint_that_always_goes_on_is_interrupted(sandbox):
    program(sandbox, "loop", f"b {line_of('i += 1')}\ncommands\nsilent\nc\nend")
    reply = sandbox.debug("c", timeout=0.2)
    assert (reply.interrupted, reply.stop.function) == (True, "loop")


def test_what_cannot_be_interrupted_is_killed_and_is_back_at_the_last_stop(sandbox):
    before = program(sandbox, "deaf", "b double")
    started = time.monotonic()
    reply = sandbox.debug("c", timeout=0.2)
    assert 1 < time.monotonic() - started < 8
    assert (reply.ended, reply.interrupted, reply.exit_code) == (False, False, None)
    assert "did not react" in reply.output
    assert "back at the last stop, 1; from here, `c` would end the same way\n" in reply.output
    assert [entry.line for entry in reply.breakpoints] == [line_of("found = n * 2")]
    assert where(reply) == where(before)
    assert sandbox.debug("p 1").output == "1\n"


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("leave", "the program ended with exit code 9"),
        ("crash", "the program was killed by SIGSEGV"),
        ("segfault", "the program was killed by SIGSEGV"),
        ("die", "the program was killed by SIGKILL"),
        ("real_time", "the program was killed by signal 37"),
    ],
)
def test_a_crash_is_told_and_is_back_at_the_last_stop(sandbox, function, words):
    program(sandbox, function, "n")
    for _ in range(2):  # it dies the same way again
        reply = sandbox.debug("b double\nc")
        assert (reply.ended, reply.exit_code) == (False, None)
        assert reply.output.split("\n")[1:3] == [
            words,
            "back at the last stop, 2; from here, `c` would end the same way",
        ]
        assert where(reply) == ("program.py", line_of("def loop():"), "<module>", "step")
        assert len(reply.breakpoints) == 1
    assert sandbox.debug("sys.argv[1]").output == repr(function) + "\n"


def test_an_unhandled_exception_is_shown_where_it_was_raised(sandbox):
    reply = program(sandbox, "fail", "c")
    assert where(reply) == ("program.py", line_of('return {}["☃"]'), "fail", "post-mortem")
    assert "KeyError: '☃'" in reply.output
    assert reply.program.endswith("KeyError: '☃'\n")
    assert "debug/program" not in reply.program
    assert sandbox.debug("c").exit_code == 1


def test_a_program_that_writes_into_the_channel_harms_only_itself(sandbox):
    program(sandbox, "babbling", "b double")
    reply = sandbox.debug("c", timeout=0.2)
    assert (reply.ended, reply.stop.reason) == (False, "start")
    assert len(reply.breakpoints) == 1
    assert program(sandbox, "coroutine", "p 1").output == "1\n"


def test_a_program_that_does_not_read_holds_nobody_up(sandbox):
    program(sandbox, "sleep")
    pid = int(sandbox.debug("import os\nos.getpid()").output)
    sandbox.exec(["kill", "-STOP", str(pid)])
    for command in ("p 1", "x = '%s'" % ("☃" * 8_000)):
        started = time.monotonic()
        reply = sandbox.debug(command, timeout=0.2)
        assert time.monotonic() - started < 10
        if "did not react" in reply.output:
            break
        sandbox.exec(["kill", "-STOP", str(pid)])
    assert "did not react" in reply.output
    assert sandbox.debug("p 1").output == "1\n"


def test_a_command_that_is_too_long_is_refused(sandbox):
    program(sandbox, "sleep")
    with pytest.raises(ValueError, match="at most 65536 bytes"):
        sandbox.debug("x" * 70_000)
    assert sandbox.debug("p 1").output == "1\n"


def test_commands_left_over_at_the_end_are_told(sandbox):
    reply = program(sandbox, "coroutine", "c\np 1\nwhere")
    assert reply.output == (
        "not executed, because the program ended: p 1; where\nthe program ended with exit code 0"
    )


def test_quitting_ends_the_process_and_keeps_the_breakpoints(sandbox):
    sandbox.debug_stop()
    before = sandbox.exec(["pgrep", "-c", "."]).output
    reply = program(sandbox, "loop", "b double, n > 1\nq\np 1")
    assert (reply.ended, reply.exit_code, reply.interrupted) == (True, None, False)
    assert reply.breakpoints[0].condition == "n > 1"
    assert sandbox.exec(["pgrep", "-c", "."]).output == before


def test_memory_is_limited(backend, make_task):
    eater = "x = []\nwhile True:\n    x.append(b'1' * (1 << 20))\n"
    with backend.start(make_task({"eat.py": eater}, limits=Limits(memory=200 << 20))) as sandbox:
        reply = sandbox.debug_start(script=["eat.py"], at="failure")
        assert "out of memory" in reply.output or "MemoryError" in reply.output


# -- the program's side ---------------------------------------------------------------------------------


def test_reading_from_stdin_finds_its_end(sandbox):
    assert program(sandbox, "reading", "c").program == "begin\n? EOF\n''\nresult None\n"


def test_breakpoint_and_set_trace_stop_the_program(sandbox):
    first = program(sandbox, "stopping", "c")
    assert where(first)[2:] == ("stopping", "breakpoint()")
    assert sandbox.debug("n").stop.line == first.stop.line + 1
    second = sandbox.debug("c")
    assert (second.stop.line, second.stop.reason) == (first.stop.line + 2, "breakpoint()")


def test_breakpoints_in_threads(sandbox):
    line = line_of("found = n * 2")
    reply = program(sandbox, "thread", f"b {line}", "c\np n")
    assert reply.output.startswith(f"breakpoint 1 at program.py:{line} in double [Thread-1")
    assert reply.output.endswith("\n3\n")
    assert sandbox.debug("n").stop.line == line + 1
    assert sandbox.debug("c\np n").output.endswith("\n4\n")
    assert sandbox.debug("c").program == "result 8\n"


def test_going_back_to_a_stop_in_a_thread(sandbox):
    line = line_of("found = n * 2")
    program(sandbox, "thread", f"b {line}", "c", "n", "c")
    reply = sandbox.debug("goto 2\np n")
    assert reply.stop.line == line
    assert "without its main thread the program ends with this one)\n" in reply.output
    assert reply.output.endswith("\n3\n")
    assert sandbox.debug("n").stop.line == line + 1
    assert "the program ended with exit code 0\nback at the last stop, 3;" in sandbox.debug("c").output


def test_going_back_to_a_thread_while_others_want_to_run(backend, make_task):
    source = """import threading

over = threading.Event()


def spin():
    while not over.is_set():
        pass


def work():
    for n in range(40):
        done = n
    over.set()


threads = [threading.Thread(target=target, daemon=True) for target in (spin, spin, work)]
for thread in threads:
    thread.start()
threads[2].join()
"""
    with backend.start(make_task({"busy.py": source})) as sandbox:
        sandbox.debug_start(script=["busy.py"], at="start")
        assert sandbox.debug("b 13\nc\np n").output.endswith("\n0\n")
        for n in range(1, 12):
            assert sandbox.debug("c\np n").output.endswith(f"\n{n}\n")
        assert sandbox.debug("back 6\np n", timeout=5).output.endswith("\n5\n")
        assert sandbox.debug("c\np n", timeout=5).output.endswith("\n6\n")


def test_breakpoints_in_coroutines(sandbox):
    line = line_of("found = n + 1")
    reply = program(sandbox, "coroutine", f"b {line}", "c", "n", "p found")
    assert (reply.output, reply.stop.function) == ("5\n", "later")


def test_a_program_that_traces_itself(sandbox):
    reply = program(sandbox, "tracing", "b double", "c")
    assert "the program called sys.settrace()" in reply.output
    assert sandbox.debug("p n").output == "2\n"
    assert sandbox.debug("c\np n").output.endswith("\n3\n")


def test_forked_children_are_left_alone(sandbox):
    reply = program(sandbox, "forking", "b double", "c")
    assert (reply.program, reply.exit_code) == ("begin\nresult 6\n", 0)


def test_output_comes_apart_and_is_bounded(backend, make_task):
    source = "for i in range(100_000):\n    print('number', i)\nbreakpoint()\n"
    with backend.start(make_task({"much.py": source}, limits=Limits(output=1000))) as sandbox:
        reply = sandbox.debug_start(script=["much.py"], at="breakpoint")
        assert reply.program.startswith("number 0\n")
        assert reply.program.endswith("number 99999\n")
        assert len(reply.program) < 1100
        assert reply.output.startswith("breakpoint() at much.py:3 in <module>\n")
        said = sandbox.debug("for i in range(100_000): print(i)").output
        assert said.startswith("0\n")
        assert said.endswith("99999\n")
        assert len(said) < 1100
