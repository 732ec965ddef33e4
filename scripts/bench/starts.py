"""Rows about coming to life: reset, fork, many sandboxes, idle memory, imports."""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from subprocess import run

from bench import rivals
from bench.measure import Contender, Figure, Sample, Unmeasurable, clock, demand, race
from bench.workplace import Row, Workplace

from debug_gym.env import DebugGymEnv
from debug_gym.sandbox import Sandbox
from debug_gym.task import Task

CROWD = 200
_FLOOR = "import gymnasium, pydantic"
_IMPORT = """
import json, time
begin = time.perf_counter()
{statement}
elapsed = time.perf_counter() - begin
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({{"ms": elapsed * 1000, "MB": int(status["VmHWM"].split()[0]) / 1024}}))
"""


def reset(place: Workplace) -> Figure:
    beside = [rivals.docker_run(place, faster=30), rivals.namespaces(1, within=2)]
    return race(reset_of(place.env(place.small)), beside, runs=2 * place.runs, at_most=5)


def reset_large(place: Workplace) -> Figure:
    small = Contender("the 10-file task", reset_of(place.env(place.small)), within=1.2)
    return race(reset_of(place.env(place.large)), [small], runs=2 * place.runs)


def reset_huge(place: Workplace) -> Figure:
    small = Contender("the 10-file task", reset_of(place.env(place.small)), floor=True)
    return race(reset_of(place.env(place.huge)), [small], runs=2 * place.runs)


def reset_ready(place: Workplace) -> Figure:
    env = place.env(place.small, backend=place.ready_backend())
    sample = reset_of(env)

    def rested() -> float:
        time.sleep(0.1)  # the pool fills up behind the episode
        return sample()

    plain = Contender("no pool", reset_of(place.env(place.small)))
    return race(rested, [plain], runs=place.runs, at_most=0.5)


def fork(place: Workplace) -> Figure:
    env = _changed(place, place.small, 3)
    start = Contender("`env.reset` alone", reset_of(place.env(place.small)), floor=True)
    return race(_fork(env), [start], runs=2 * place.runs, at_most=6)


def fork_large(place: Workplace) -> Figure:
    few = Contender("3 changed files, 10-file task", _fork(_changed(place, place.small, 3)), within=1.2)
    return race(_fork(_changed(place, place.large, 3)), [few], runs=2 * place.runs, at_most=15)


def fork_many(place: Workplace) -> Figure:
    few = Contender("3 changed files", _fork(_changed(place, place.small, 3)), floor=True)
    return race(_fork(_changed(place, place.small, 1000)), [few], runs=place.runs)


def crowd(place: Workplace) -> Figure:
    count = 20 if place.quick else CROWD

    place.sandbox(place.small)  # the template is warm

    def start_all() -> float:
        begin = time.perf_counter()
        with _many(place, count):
            return (time.perf_counter() - begin) * 1000

    kernel = rivals.namespaces(count)
    notes = [f"only {count} of them: --quick"] if place.quick else []
    return race(start_all, [kernel], runs=min(place.runs, 3), at_most=2000, warm_up=0, notes=notes)


def idle(place: Workplace) -> Figure:
    count = 20 if place.quick else CROWD
    place.sandbox(place.small)  # the template is warm

    def grown() -> float:
        before = memory_below()
        with _many(place, count):
            return (memory_below() - before) / count

    return race(grown, runs=min(place.runs, 3), unit="MB", at_most=2.5, warm_up=0)


def import_time(place: Workplace) -> Figure:
    floor = Contender(f"`{_FLOOR}`", _imported(_FLOOR, "ms"), within=1)
    whole = Contender("`from debug_gym import *`", _imported("from debug_gym import *", "ms"))
    sample = _imported("import debug_gym", "ms")
    return race(sample, [floor, whole], runs=place.runs, at_most=300)


def import_memory(place: Workplace) -> Figure:
    floor = Contender(f"`{_FLOOR}`", _imported(_FLOOR, "MB"), floor=True)
    whole = Contender("`from debug_gym import *`", _imported("from debug_gym import *", "MB"))
    sample = _imported("import debug_gym", "MB")
    return race(sample, [floor, whole], runs=min(place.runs, 5), unit="MB", at_most=60)


def reset_of(env: DebugGymEnv) -> Sample:
    """A sample of an episode's start."""
    return clock(env.reset, lambda seen: not seen[1]["error"] and "Something is wrong." in seen[0])


def _changed(place: Workplace, task: Task, count: int) -> DebugGymEnv:
    env = place.env(task)
    assert env.session is not None
    sandbox = env.session.sandbox
    for number in range(count):
        sandbox.write(f"changed/file{number}.py", b"value = %d\n" % number)
    demand(len(sandbox.changes().paths) == count, sandbox.changes().paths)
    return env


def _fork(env: DebugGymEnv) -> Sample:
    assert env.session is not None
    expected = env.session.sandbox.changes()

    def sample() -> float:
        begin = time.perf_counter()
        forked = env.fork()
        elapsed = time.perf_counter() - begin
        with closing(forked):
            found = forked.session.sandbox.changes() if forked.session is not None else None
        demand(found == expected, found)
        return elapsed * 1000

    return sample


def _many(place: Workplace, count: int) -> ExitStack:
    """So many live sandboxes; all of them answer."""

    def start(_: int) -> Sandbox:
        sandbox = place.backend.start(place.small)
        sandbox.request("ping")
        return sandbox

    with ExitStack() as stack:
        stack.callback(_await_processes, len(_processes()) + 1)  # one is started ahead
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for sandbox in pool.map(start, range(count)):
                stack.callback(sandbox.close)
        return stack.pop_all()


def _await_processes(count: int) -> None:
    """Closing does not wait for the kernel to clear up; what is measured next must."""
    end = time.monotonic() + 30
    while len(_processes()) > count:
        demand(time.monotonic() < end, "closed sandboxes do not end")
        time.sleep(0.02)


def _processes() -> list[int]:
    """The pids of all processes below this one."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it ended meanwhile
    below = [os.getpid()]
    for pid in below:  # grows while it is walked
        below += [child for child, parent in parents.items() if parent == pid]
    return below[1:]


def memory_below() -> float:
    """MB of memory of all processes below this one. Only root may read it: sandboxes cannot be traced.

    Raises:
        Unmeasurable: this is not root.
    """
    if os.getuid() != 0:
        raise Unmeasurable("only root may read the memory of sandboxes: they cannot be traced")
    return sum(map(_proportional, _processes()))


def _proportional(pid: int) -> float:
    """MB of memory of a process, where a page that n processes share counts as 1/n."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024


def _imported(statement: str, unit: str) -> Sample:
    def sample() -> float:
        command = [sys.executable, "-c", _IMPORT.format(statement=statement)]
        done = run(command, capture_output=True, text=True, check=False)
        demand(done.returncode == 0, done.stderr)
        return float(json.loads(done.stdout)[unit])

    return sample


ROWS = (
    Row("reset", "`env.reset`, with the old sandbox's end, warm template, 10-file task", reset),
    Row("reset-large", "`env.reset`, 2000-file task", reset_large),
    Row("reset-huge", "`env.reset`, task of 20,000 files and 500 MB", reset_huge),
    Row("reset-ready", "`env.reset` from a ready pool", reset_ready),
    Row("fork", "`env.fork()`, 3 changed files", fork),
    Row("fork-large", "`env.fork()`, 3 changed files in a 2000-file task", fork_large),
    Row("fork-many", "`env.fork()`, 1000 changed files", fork_many),
    Row("crowd", "200 sandboxes started, one thread a core", crowd),
    Row("idle", "An idle sandbox among 200: proportional memory", idle),
    Row("import-time", "`import debug_gym` in a new interpreter: time", import_time),
    Row("import-memory", "`import debug_gym` in a new interpreter: its memory", import_memory),
)
