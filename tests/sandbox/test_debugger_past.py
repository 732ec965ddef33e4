"""Time travel: going back to earlier stops, with what comes back, what does not, and what is left behind."""

import pytest

from debug_gym.task import Limits

PROGRAM = """import random
import sys
import threading

done = []
book = open("book.txt")
random.seed(1)


def add(n):
    done.append(n)
    return len(done)


def main():
    for n in range(5):
        add(n)
    return book.readline()


print("begin")
print("line", main())
"""
THREADS = """import threading

hold = threading.Event()
threading.Thread(target=hold.wait, daemon=True).start()
a = 1
b = 2
c = 3
"""
WAITING = """import os

child = os.fork()
if child == 0:
    os._exit(7)
a = 1
print(os.wait()[0] == child)
try:
    os.wait()
except ChildProcessError:
    print("no other child")
"""
LOOP = "i = 0\nwhile i < 500:\n    i += 1\n"
FILES = {"program.py": PROGRAM, "book.txt": "one\ntwo\n", "threads.py": THREADS, "waiting.py": WAITING}


@pytest.fixture(scope="module")
def sandbox(backend, make_task):
    with backend.start(make_task({**FILES, "loop.py": LOOP})) as sandbox:
        yield sandbox


def line_of(text):
    return next(n for n, line in enumerate(PROGRAM.split("\n"), 1) if line.strip() == text)


@pytest.fixture
def say(sandbox):
    """``say(command)``: the reply; the program stands at its first line."""
    sandbox.debug_start(script=["program.py"], at="start")
    yield sandbox.debug
    sandbox.debug_stop()


def processes(sandbox):
    return int(sandbox.exec(["pgrep", "-c", "."]).output)


def numbers(reply):
    """Of a list of checkpoints, and the number of the one that is current."""
    rows = reply.output.rstrip("\n").split("\n")[1:]
    return [int(row.split()[0]) for row in rows], [int(row.split()[0]) for row in rows if "->" in row]


# -- going back -----------------------------------------------------------------------------------------


def test_back_to_earlier_stops_with_the_variables_of_then(say):
    stops = [say(f"b {line_of('done.append(n)')}\nc").stop]
    stops += [say("c").stop for _ in range(3)]
    assert say("p n, done").output == "(3, [0, 1, 2])\n"
    reply = say("back")
    assert reply.output.startswith("back at stop 4\n(changes to files, sockets and other processes")
    assert f"\nbreakpoint 1 at program.py:{stops[2].line} in add\n" in reply.output
    assert reply.stop == stops[2]
    assert say("p n, done").output == "(2, [0, 1])\n"
    assert say("back 2").stop == stops[0]
    assert say("p n, done").output == "(0, [])\n"
    assert say("c\np n, done").output.endswith("\n(1, [0])\n")  # and forward again
    assert say("cl\nc").program == "line one\n\n"


def test_what_was_written_before_is_not_written_again(say):
    assert say(f"b {line_of('add(n)')}\nc").program == "begin\n"
    say("c")
    reply = say("back\ncl\nc")
    assert (reply.program, reply.exit_code) == ("line one\n\n", 0)


def test_the_rest_of_the_text_is_executed_there(say):
    say("n\nn\nn")
    reply = say("p 'before'\nback 2\np 'there'")
    assert reply.output.startswith("'before'\nback at stop 2\n")
    assert reply.output.endswith("\n'there'\n")


def test_checkpoints_are_listed_and_gone_to(say):
    assert say("checkpoints").output == "Num    Where\n1   -> program.py:1 in <module> (start)\n"
    say("n\nn")
    assert say("checkpoints").output.endswith("\n3   -> program.py:3 in <module> (step)\n")
    assert say("goto 2").stop.line == 2
    assert numbers(say("checkpoints")) == ([1, 2], [2])
    say("n")
    assert numbers(say("checkpoints")) == ([1, 2, 3], [3])


def test_going_to_the_stop_itself_undoes_what_was_typed_there(say):
    say("n\nn\nsys.x = 5")
    assert say("p sys.x").output == "5\n"
    assert say("goto 3\np hasattr(sys, 'x')").output.endswith("\nFalse\n")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("back", "there is only 1 earlier stop to go back to"),
        ("back 0", "there is only 1 earlier stop to go back to"),
        ("back x", "say  back [number of stops]  or  goto checkpoint; `checkpoints` lists them"),
        ("goto", "say  back [number of stops]  or  goto checkpoint; `checkpoints` lists them"),
        ("goto 7", "there is no checkpoint 7; `checkpoints` lists them"),
    ],
)
def test_what_cannot_be_gone_back_to(say, command, says):
    before = say("n")
    reply = say(command if command != "back" else "back 2")
    assert (reply.output, reply.stop) == (f"*** {says}\n", before.stop)


def test_breakpoints_are_those_of_now(say):
    say(f"b {line_of('add(n)')}\nb main, 1 > 0\nn")
    say(f"cl 1\ncondition 2\nb {line_of('return len(done)')}\nn")
    reply = say("back 2")
    assert [(point.number, point.condition) for point in reply.breakpoints] == [(2, None), (3, None)]
    stops = [say("c").stop for _ in range(2)]
    assert [stop.reason for stop in stops] == ["breakpoint 2", "breakpoint 3"]


def test_files_random_numbers_and_threads(sandbox, say):
    say(f"b {line_of('return len(done)')}\nc")
    draw = "p book.readline(), random.random()"
    first = say(draw).output
    assert say(f"goto 2\n{draw}").output.endswith(first)
    sandbox.debug_start(script=["threads.py"], at="start")
    say("until 5\nn")
    assert say("back").output.split("\n")[:2] == [
        "back at stop 2",
        "(changes to files, sockets and other processes are not undone; its 1 other thread is lost)",
    ]


def test_the_program_does_not_find_the_copies_among_its_children(sandbox):
    sandbox.debug_start(script=["waiting.py"], at="start")
    sandbox.debug("n\nn\nn")
    assert sandbox.debug("c").program == "True\nno other child\n"


# -- ends -------------------------------------------------------------------------------------------------


def test_back_after_the_end(say):
    last = say(f"tbreak {line_of('return book.readline()')}\nc").stop
    assert say("c").exit_code == 0
    assert numbers(say("checkpoints")) == ([1, 2], [])
    assert say("p 1").output == "no program is being debugged"
    reply = say("back")
    assert (reply.stop, reply.ended) == (last, False)
    assert say("p len(done)").output == "5\n"
    end = say("c")
    assert (end.exit_code, end.program) == (0, "line one\n\n")


def test_a_crash_in_a_text_of_several_steps_returns_to_the_last_of_them(say):
    reply = say("n\nn\nimport os; os.kill(os.getpid(), 11)")
    assert reply.output.startswith("step at program.py:2 in <module>\n")
    assert "killed by SIGSEGV\nback at the last stop, 3;" in reply.output
    assert reply.stop.line == 3
    assert numbers(say("checkpoints")) == ([1, 2, 3], [3])


def test_breakpoints_set_with_the_command_that_ran_into_the_crash_stay(sandbox, say):
    sandbox.write("crash.py", b"import os\ndef f():\n    return 1\nos._exit(4)\n")
    sandbox.debug_start(script=["crash.py"], at="start")
    reply = say("b 3\nc")
    assert "exit code 4\nback at the last stop, 1;" in reply.output
    assert [point.line for point in reply.breakpoints] == [3]
    assert reply.sources["crash.py"].startswith("import os\n")


# -- bounds -----------------------------------------------------------------------------------------------


def test_the_oldest_go_where_they_are_too_many(backend, make_task):
    limits = Limits(processes=37)  # and 3 of our own
    with backend.start(make_task({"loop.py": LOOP}, limits=limits)) as sandbox:
        sandbox.debug_start(script=["loop.py"], at="start")
        sandbox.debug("\n".join(["n"] * 15))
        kept, _ = numbers(sandbox.debug("checkpoints"))
        assert kept == list(range(7, 17))
        sandbox.debug("back 9\nback 9")
        assert numbers(sandbox.debug("checkpoints")) == ([7], [7])


def test_the_oldest_go_where_they_hold_too_much_memory(backend, make_task):
    source = "for n in range(9):\n    x = bytearray(b'1' * (20 << 20))\n"
    with backend.start(make_task({"big.py": source}, limits=Limits(memory=320 << 20))) as sandbox:
        sandbox.debug_start(script=["big.py"], at="start")
        reply = sandbox.debug("\n".join(["n"] * 16))
        assert not reply.ended
        kept, here = numbers(sandbox.debug("checkpoints"))
        assert here == [17]
        assert 2 < len(kept) < 12
        assert sandbox.debug("back 2\np n").output.endswith("\n6\n")


def test_no_process_is_left(sandbox, say):
    say("q")
    before = processes(sandbox)
    sandbox.exec("sleep 100 &")
    shell = sandbox.shell("echo $$").output
    for end in ("q", "back 5\nq", "c", "back 5\nc"):
        sandbox.debug_start(script=["loop.py"], at="start")
        sandbox.debug("\n".join(["n"] * 25))
        assert processes(sandbox) > before + 25
        sandbox.debug(end)
        sandbox.debug_stop()
        assert processes(sandbox) == before + 1  # the shell
    assert sandbox.shell("echo $$").output == shell
