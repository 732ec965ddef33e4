"""Rows about what must end: commands, tests and fork bombs past their time limit."""

import time
from collections.abc import Callable

from bench.measure import Figure, Sample, demand, race
from bench.workplace import Row, Workplace

from debug_gym.sandbox import ExecResult, Sandbox, TestRun
from debug_gym.task import Limits

LIMIT = 0.3
"""Seconds after which what is measured here is to be ended."""
_FOREVER = "def test_forever():\n    while True:\n        pass\n"
_BOMB = "while True:\n    try: os.fork()\n    except OSError: pass\n"


def timeout_exec(place: Workplace) -> Figure:
    sandbox = place.sandbox(place.small)
    return race(_overshoot(lambda: sandbox.exec("sleep 60", timeout=LIMIT)), runs=place.runs, at_most=50)


def timeout_shell(place: Workplace) -> Figure:
    sandbox = place.sandbox(place.small)
    return race(_overshoot(lambda: sandbox.shell("sleep 60", timeout=LIMIT)), runs=place.runs, at_most=50)


def timeout_tests(place: Workplace) -> Figure:
    sandbox = place.sandbox(place.task("forever", {"test_forever.py": _FOREVER}))
    return race(_overshoot(lambda: sandbox.run_tests(timeout=LIMIT)), runs=place.runs, at_most=50)


def fork_bomb(place: Workplace) -> Figure:
    task = place.task("bomb", {"bomb.py": "import os\n" + _BOMB}, limits=Limits(processes=128))
    sandbox = place.sandbox(task)
    overshoot = _overshoot(lambda: sandbox.exec(["python", "bomb.py"], timeout=LIMIT))

    def gone() -> float:
        late = overshoot()
        demand(_processes(sandbox) == 0, "processes of the fork bomb are left")
        return late

    return race(gone, runs=min(place.runs, 3), at_most=1000, warm_up=0)


def _overshoot(work: Callable[[], ExecResult | TestRun]) -> Sample:
    """How many milliseconds after its limit a call comes back."""

    def sample() -> float:
        begin = time.perf_counter()
        seen = work()
        elapsed = time.perf_counter() - begin
        demand(seen.timed_out, seen)
        return (elapsed - LIMIT) * 1000

    return sample


def _processes(sandbox: Sandbox) -> int:
    """Processes in the sandbox besides its first one and the bash that counts."""
    seen = sandbox.exec("set -- /proc/[0-9]*; echo $#")
    demand(seen.exit_code == 0, seen)
    return int(seen.output) - 2


ROWS = (
    Row("timeout-exec", "A command past its time limit: overshoot", timeout_exec),
    Row("timeout-shell", "The same in the persistent bash: overshoot", timeout_shell),
    Row("timeout-tests", "An endless test past its time limit: overshoot", timeout_tests),
    Row("fork-bomb", "A fork bomb past its time limit: until no process is left", fork_bomb),
)
