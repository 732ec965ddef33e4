"""Rows about single steps: looking at files, changing them, commands in the shell."""

import difflib
import itertools
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import rivals
from bench.measure import Contender, Figure, Sample, clock, race
from bench.workplace import PRICES, Row, Workplace, run

from debug_gym.env import DebugGymEnv
from debug_gym.episode import ToolCall
from debug_gym.sandbox import Sandbox

ROUNDS = 20
"""How many times more often a step of well under a millisecond is measured."""
THOUGHT = 0.05
"""Seconds between the start of an episode and its first command: no model is faster."""


def step(env: DebugGymEnv, tool: str, arguments: dict[str, Any], expected: str, **data: Any) -> Sample:
    """A sample that does one tool call. The observation must be no error and hold the text ``expected``; its
    structured side must hold ``data``."""
    call = ToolCall(name=tool, arguments=arguments)

    def check(seen: tuple[str, float, bool, bool, dict[str, Any]]) -> bool:
        info = seen[4]
        return not info["error"] and expected in seen[0] and data.items() <= info["data"].items()

    return clock(lambda: env.step(call), check)


def live(env: DebugGymEnv) -> Sandbox:
    """The sandbox of an episode."""
    assert env.session is not None and isinstance(env.session.sandbox, Sandbox)
    return env.session.sandbox


def ping(sandbox: Sandbox) -> Sample:
    """The bare round trip of the protocol."""
    return clock(lambda: sandbox.request("ping"), lambda seen: seen == ({}, b""))


def _beside_file_work(
    place: Workplace, env: DebugGymEnv, what: str, work: Callable[[Path], object]
) -> Contender:
    """The bare round trip, and the same file work by plain Python on the host."""
    sandbox, folder = live(env), place.copy(env.task)

    def both() -> object:
        sandbox.request("ping")
        return work(folder)

    return Contender(f"ping, and {what} on the host", clock(both, lambda _: True), within=3)


def view(place: Workplace) -> Figure:
    env = place.env(place.small, tools=("view",))
    floor = _beside_file_work(place, env, "read", lambda folder: (folder / "shop/prices.py").read_text())
    sample = step(env, "view", {"path": "shop/prices.py"}, "def discounted")
    return race(sample, [floor], runs=place.runs * ROUNDS, at_most=2)


def rewrite(place: Workplace) -> Figure:
    env = place.env(place.small, tools=("rewrite",))
    edits = itertools.count()

    def edited() -> str:
        return f"{PRICES}EDITS = {next(edits)}\n"

    def by_hand(folder: Path) -> object:
        path, content = folder / "shop/prices.py", edited()
        difference = list(difflib.unified_diff(path.read_text().splitlines(), content.splitlines()))
        return difference, path.write_text(content)

    def sample() -> float:
        return step(env, "rewrite", {"path": "shop/prices.py", "content": edited()}, "+EDITS")()

    floor = _beside_file_work(place, env, "read, compare, write", by_hand)
    return race(sample, [floor], runs=place.runs * ROUNDS, at_most=2)


def listdir(place: Workplace) -> Figure:
    env = place.env(place.small, tools=("listdir",))
    floor = _beside_file_work(place, env, "walk", lambda folder: list(os.walk(folder)))
    sample = step(env, "listdir", {"path": ".", "depth": 2}, "prices.py")
    return race(sample, [floor], runs=place.runs * ROUNDS, at_most=2)


def grep(place: Workplace) -> Figure:
    env = place.env(place.small, tools=("grep",))
    pattern = re.compile(r"def \w+ed\(")

    def search(folder: Path) -> list[str]:
        return [
            line for file in folder.rglob("*") if file.is_file() for line in pattern.findall(file.read_text())
        ]

    floor = _beside_file_work(place, env, "search", search)
    sample = step(env, "grep", {"pattern": pattern.pattern}, "prices.py")
    return race(sample, [floor], runs=place.runs * ROUNDS, at_most=2)


def bash(place: Workplace) -> Figure:
    env = place.env(place.small, tools=("bash",))
    beside = [
        Contender("ping", ping(live(env)), floor=True),
        Contender("subprocess.run(bash -c true) on the host", run(["bash", "-c", "true"])),
    ]
    sample = step(env, "bash", {"command": "true"}, "", exit_code=0)
    return race(sample, beside, runs=place.runs * ROUNDS, at_most=0.5)


def bash_first(place: Workplace) -> Figure:
    """The shell is started with the episode; whoever plays thinks for a moment before it says anything."""
    env = place.env(place.small, tools=("bash",))
    warm = step(env, "bash", {"command": "true"}, "", exit_code=0)

    def first() -> float:
        env.reset()
        time.sleep(THOUGHT)
        return warm()

    later = Contender("the second one", warm, floor=True)
    return race(first, [later], runs=place.runs, at_most=1.5)


def bash_rivals(place: Workplace) -> Figure:
    env = place.env(place.small, tools=("bash",))
    beside = [rivals.docker_exec(place, faster=100), rivals.swe_rex(place)]
    sample = step(env, "bash", {"command": "true"}, "", exit_code=0)
    return race(sample, beside, runs=place.runs)


ROWS = (
    Row("view", "`view` as an env step", view),
    Row("rewrite", "`rewrite` of a whole small file as an env step", rewrite),
    Row("listdir", "`listdir` of ten files as an env step", listdir),
    Row("grep", "`grep` through ten files as an env step", grep),
    Row("bash", "Persistent bash, `true` as an env step", bash),
    Row("bash-first", "The first `bash` of an episode, 50 ms after its reset", bash_first),
    Row("bash-rivals", "The same step against slow rivals", bash_rivals),
)
