"""Rows about the debugger, as env steps of the pdb tool."""

import os
import subprocess
import sys
import time
from pathlib import Path

from bench.measure import Contender, Figure, Sample, demand, race
from bench.starts import memory_below
from bench.steps import ROUNDS, live, ping, step
from bench.suites import NO_PLUGINS, bare
from bench.workplace import BROKEN_TEST, Row, Workplace

from debug_gym.env import DebugGymEnv
from debug_gym.task import Task

FAILING_LINE = 5
"""In ``tests/test_prices.py``."""
QUESTION, ANSWER = "p discounted(1000, 20)", "1200"
UNUSED = "looping.py:5"
IN_THE_LOOP = "looping.py:11"
AFTER_THE_LOOP = "test_loop.py:8"
_TRACED = "import sys, looping; sys.settrace(lambda *_: None); print(looping.seconds({rounds}))"
LOOP_GOAL = 1.2 if sys.version_info >= (3, 12) else 3.0
"""Times the undebugged loop. From Python 3.12 on, tracing can be limited to single lines."""


def start(place: Workplace) -> Figure:
    return _start(place, place.small, {})


def start_bare(place: Workplace) -> Figure:
    return _start(place, bare(place.small), NO_PLUGINS)


def _start(place: Workplace, task: Task, variables: dict[str, str]) -> Figure:
    """A new program each time, up to the answer to a first question at the failing line."""
    env = place.env(task, tools=("pdb",))
    cold = ["-m", "pdb", "-m", "pytest", "-s", "-p", "no:cacheprovider", BROKEN_TEST]
    own = ["-m", "pytest", "--pdb", "-p", "no:cacheprovider", BROKEN_TEST]
    to_the_line = f"b tests/test_prices.py:{FAILING_LINE}\nc\n"
    folder, environment = place.copy(task), {**os.environ, **variables}
    beside = [
        Contender("cold `python -m pdb -m pytest`", _cold(cold, folder, environment, to_the_line), faster=3),
        Contender("cold `python -m pytest --pdb`", _cold(own, folder, environment, ""), faster=3),
    ]
    call = {"command": QUESTION, "test": BROKEN_TEST, "at": "failure"}
    return race(step(env, "pdb", call, ANSWER, ended=False), beside, runs=place.runs, at_most=50)


def command(place: Workplace) -> Figure:
    env = place.env(place.small, tools=("pdb",))
    step(env, "pdb", {"command": QUESTION, "test": BROKEN_TEST, "at": "failure"}, ANSWER)()
    floor = Contender("ping", ping(live(env)), floor=True)
    sample = step(env, "pdb", {"command": QUESTION}, ANSWER, ended=False)
    return race(sample, [floor], runs=place.runs * ROUNDS, at_most=0.5)


def _stopped_in_a_loop(place: Workplace) -> DebugGymEnv:
    """A test that stands at the start of a loop, with no checkpoint but of this stop and the one before."""
    env = place.env(place.looping, tools=("pdb",))
    begin = {"command": f"tbreak {IN_THE_LOOP}\nc", "test": "test_loop.py", "at": "start"}
    step(env, "pdb", begin, IN_THE_LOOP)()
    return env


def checkpoint(place: Workplace) -> Figure:
    """``n``: the program runs to its next line, and leaves a copy of itself there."""
    env = _stopped_in_a_loop(place)
    still = Contender("a command that does not move the program", _question(env), floor=True)
    sample = step(env, "pdb", {"command": "n"}, "step at looping.py", ended=False)
    return race(sample, [still], runs=place.runs * 4, at_most=5)


def back(place: Workplace) -> Figure:
    env = _stopped_in_a_loop(place)
    go_on = step(env, "pdb", {"command": "n\nn"}, "step at looping.py")
    sample = step(env, "pdb", {"command": "back 1"}, "back at stop", ended=False)
    still = Contender("a command that does not move the program", _question(env), floor=True)

    def gone_back() -> float:
        go_on()
        return sample()

    return race(gone_back, [still], runs=place.runs * 2, at_most=10)


def checkpoint_memory(place: Workplace) -> Figure:
    """By how much the memory of all processes together grows for each stop that can be gone back to."""
    count = 10 if place.quick else 50

    def grown() -> float:
        env = _stopped_in_a_loop(place)
        before = memory_below()
        step(env, "pdb", {"command": "\n".join(["n"] * count)}, "step at looping.py")()
        used = (memory_below() - before) / count
        env.close()
        return used

    return race(grown, runs=min(place.runs, 3), unit="MB", at_most=3, warm_up=0)


def _question(env: DebugGymEnv) -> Sample:
    return step(env, "pdb", {"command": "p 6 * 7"}, "42", ended=False)


def loop(place: Workplace) -> Figure:
    """The program times its loop itself and writes the seconds to a file."""
    debugged, plain = place.env(place.looping, tools=("pdb",)), place.env(place.looping, tools=("eval",))
    step(debugged, "pdb", {"command": f"b {UNUSED}\nb {AFTER_THE_LOOP}\nc"}, "test_loop.py")()
    again = step(debugged, "pdb", {"command": "restart"}, "test_loop.py", ended=False)
    evaluate = step(plain, "eval", {}, "1 passed", complete=True)

    def sample() -> float:
        again()
        return float(live(debugged).read("seconds.txt")) * 1000

    def undebugged() -> float:
        evaluate()
        return float(live(plain).read("seconds.txt")) * 1000

    def traced() -> float:
        seen = live(plain).exec(["python", "-c", _TRACED.format(rounds=place.rounds)])
        demand(seen.exit_code == 0, seen)
        return float(seen.output) * 1000

    beside = [
        Contender("the loop undebugged", undebugged, within=LOOP_GOAL),
        Contender("the loop under a tracer that does nothing", traced, floor=True),
    ]
    return race(sample, beside, runs=place.runs)


def _cold(arguments: list[str], folder: Path, environment: dict[str, str], before: str) -> Sample:
    """Commands by a pipe, until the answer comes out of another; the program's end is not counted."""

    def sample() -> float:
        begin = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as program:
            assert program.stdin is not None and program.stdout is not None
            program.stdin.write(f"{before}{QUESTION}\n")
            program.stdin.flush()
            seen = []
            for line in program.stdout:
                seen.append(line)
                if line.split()[-1:] == [ANSWER]:
                    break
            elapsed = time.perf_counter() - begin
            program.kill()
        demand(seen[-1:] != [] and ANSWER in seen[-1], "".join(seen))
        return elapsed * 1000

    return sample


ROWS = (
    Row("pdb-start", "pdb: start a test, stop at the failing line, answer one question", start),
    Row("pdb-start-bare", "pdb: start and answer, plugins of pytest off", start_bare),
    Row("pdb-command", "pdb: one command as an env step", command),
    Row("pdb-checkpoint", "pdb: one command that moves the program, with its checkpoint", checkpoint),
    Row("pdb-back", "pdb: `back 1`", back),
    Row("pdb-checkpoint-memory", "A checkpoint: proportional memory", checkpoint_memory),
    Row("pdb-loop", "A loop under a breakpoint elsewhere in its file", loop),
)
