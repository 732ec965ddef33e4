"""Rows beside the reference implementation (the PyPI package ``debug-gym``), in its local terminal.

The same folder, the same calls, in turns. Its terminal isolates nothing; its reset runs no tests here, as
ours runs none. Ours does its work in sandboxes, and its bash keeps its state from one call to the next.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.debugging import ANSWER, FAILING_LINE, QUESTION
from bench.measure import Contender, Figure, Sample, demand, race
from bench.starts import reset_of
from bench.steps import step
from bench.workplace import BROKEN_TEST, PRICES, Row, Workplace

from debug_gym.task import DirectorySource

_CHILD = Path(__file__).with_name("reference_child.py")
Call = tuple[str, dict[str, Any]]


class Reference:
    """An episode of the reference implementation, in a process of its own. It says why there is none."""

    def __init__(self, place: Workplace) -> None:
        self.missing = ""
        if place.reference is None:
            self.missing = "not asked for: --reference names a Python that has debug-gym 1.3 installed"
            return
        assert isinstance(place.small.source, DirectorySource)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # the tests run by our Python
        environment = {**os.environ, "PATH": path}
        environment.pop("PYTHONPATH", None)
        try:
            self._child = place.spawn(
                [place.reference, str(_CHILD), str(place.small.source.path)],
                stderr=subprocess.DEVNULL,
                env=environment,
            )
        except OSError as error:
            self.missing = f"{place.reference} cannot be run: {error.strerror}"
            return
        assert self._child.stdout is not None
        if self._child.stdout.readline() != "ready\n":
            self.missing = f"the reference implementation is not installed for {place.reference}"

    def beside(
        self, expected: str, calls: list[Call], *, fresh: bool = False, faster: float = 1
    ) -> Contender:
        """It does some calls (none: it is reset), and the last observation must hold a text.

        Args:
            expected: the text.
            calls: tools with their arguments.
            fresh: it is reset before, outside of the time.
            faster: the goal.
        """
        name = "the reference implementation"
        if self.missing:
            return Contender(name, missing=self.missing, faster=faster)
        return Contender(name, self._sample(expected, calls, fresh), faster=faster)

    def _sample(self, expected: str, calls: list[Call], fresh: bool) -> Sample:
        self._ask({"reset": True})

        def sample() -> float:
            if fresh:
                self._ask({"reset": True})
            answer = self._ask({"calls": calls} if calls else {"reset": True})
            demand(expected in answer["said"], answer["said"])
            return float(answer["ms"])

        return sample

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._child.stdin is not None and self._child.stdout is not None
        self._child.stdin.write(json.dumps(request) + "\n")
        self._child.stdin.flush()
        answer = self._child.stdout.readline()
        demand(bool(answer), "the reference implementation ended")
        found: dict[str, Any] = json.loads(answer)
        return found


def reset(place: Workplace) -> Figure:
    ours = reset_of(place.env(place.small))
    return race(ours, [Reference(place).beside("Investigate", [], faster=200)], runs=place.runs)


def _step(
    place: Workplace, ours: Call, expected: str, theirs: Call | None = None, faster: float = 1, **data: Any
) -> Figure:
    """The same tool and arguments, unless others are given, on both sides."""
    tool, arguments = ours
    env = place.env(place.small, tools=(tool,))
    rival = Reference(place).beside(expected, [theirs or ours], faster=faster)
    return race(step(env, tool, arguments, expected, **data), [rival], runs=place.runs)


def view(place: Workplace) -> Figure:
    return _step(place, ("view", {"path": "shop/prices.py"}), "def discounted")


def listdir(place: Workplace) -> Figure:
    return _step(place, ("listdir", {"path": ".", "depth": 2}), "prices.py")


def bash(place: Workplace) -> Figure:
    return _step(place, ("bash", {"command": "echo hello"}), "hello")


def edit(place: Workplace) -> Figure:
    ours = ("rewrite", {"path": "shop/prices.py", "content": PRICES})
    theirs = ("edit", {"path": "shop/prices.py", "new_code": PRICES})
    return _step(place, ours, "shop/prices.py", theirs)


def evaluate(place: Workplace) -> Figure:
    return _step(place, ("eval", {}), "1 failed, 4 passed", faster=10)


def pdb_start(place: Workplace) -> Figure:
    env = place.env(place.small, tools=("pdb",))
    commands = (f"b tests/test_prices.py:{FAILING_LINE}", "c", QUESTION)
    theirs: list[Call] = [("pdb", {"command": command}) for command in commands]
    ours = step(env, "pdb", {"command": "\n".join(commands), "test": BROKEN_TEST, "at": "start"}, ANSWER)
    return race(ours, [Reference(place).beside(ANSWER, theirs, fresh=True)], runs=place.runs)


def pdb_command(place: Workplace) -> Figure:
    env = place.env(place.small, tools=("pdb",))
    step(env, "pdb", {"command": QUESTION, "test": BROKEN_TEST, "at": "failure"}, ANSWER)()
    reference = Reference(place)
    commands = (f"b tests/test_prices.py:{FAILING_LINE}", "c")
    start: list[Call] = [("pdb", {"command": command}) for command in commands]
    begun = reference.beside("", start, fresh=True).sample
    rival = reference.beside(ANSWER, [("pdb", {"command": QUESTION})], faster=200)
    if begun is not None:
        begun()
    return race(step(env, "pdb", {"command": QUESTION}, ANSWER, ended=False), [rival], runs=place.runs)


ROWS = (
    Row("ref-reset", "`env.reset` beside the reference", reset),
    Row("ref-view", "`view` beside the reference", view),
    Row("ref-listdir", "`listdir` beside the reference", listdir),
    Row("ref-bash", "`bash` beside the reference", bash),
    Row("ref-edit", "A whole file written, beside the reference", edit),
    Row("ref-eval", "`eval` beside the reference", evaluate),
    Row("ref-pdb-start", "pdb up to an answer at a breakpoint, beside the reference", pdb_start),
    Row("ref-pdb", "A pdb command beside the reference", pdb_command),
)
