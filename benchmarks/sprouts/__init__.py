"""Sprouts: thousands of generated tasks, each a function of a few lines with one wrong spot.

Small enough for a model that is trained from nothing, and for smoke tests and curricula; nothing is fetched
and no task is made before it is asked for.
"""

import math
from collections.abc import Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import cache, cached_property
from random import Random
from typing import Any

from debug_gym.benchmarks.base import Benchmark, Card
from debug_gym.benchmarks.sprouts.families import FAMILIES, TEST, VALIDATION, Bug, Family
from debug_gym.benchmarks.sprouts.picker import Picker
from debug_gym.benchmarks.sprouts.runtime import RUNTIME
from debug_gym.diff import unified_diff
from debug_gym.errors import ConfigError
from debug_gym.task import FilesSource, Task, Tests

MODULE, VISIBLE, HIDDEN = "sprout.py", "test_sprout.py", "test_hidden.py"
CASES = 3
"""Calls in the hidden test."""
DRAWN = 200
"""Calls among which those of the tests are chosen."""
KNOWN: dict[str, Family] = {**FAMILIES, **RUNTIME}
Case = tuple[tuple[object, ...], object, object]
"""Arguments, the right result, and the wrong one (None where the call raises)."""


class Sprouts(Benchmark):
    """Generated tasks of several families: kinds of mistakes in kinds of functions.

    Splits: ``train``; ``seen`` (other tasks of the same families); ``validation`` and ``test`` (families that
    are not in ``train``, one of each kind); ``runtime`` (what must be run to be known), and of that
    ``runtime-train`` and ``runtime-test``.

    Args:
        size: tasks of each family.
        seed: another seed gives other tasks.
        held_out: globs of families, joined by commas, that make up ``test`` and are taken out of the other
            splits; empty: one of each kind.

    Raises:
        ConfigError: there is no such family, or a family has not so many tasks.
    """

    name = "sprouts"
    description = (
        "Generated: thousands of small functions with one wrong spot; options: size, seed, held_out."
    )
    card = Card(source="part of debug-gym", licence="that of debug-gym")
    splits = ("train", "seen", "validation", "test", "runtime", "runtime-train", "runtime-test")

    def __init__(self, size: int = 200, seed: int = 0, held_out: str = "") -> None:
        globs = [part.strip() for part in held_out.split(",") if part.strip()]
        self._test = [name for name in FAMILIES if any(fnmatchcase(name, glob) for glob in globs)] or TEST
        for glob in globs:
            if not any(fnmatchcase(name, glob) for name in FAMILIES):
                raise ConfigError(f"held_out: no family is like {glob!r}; there are: {', '.join(FAMILIES)}")
        most = min(_space(name) for name in KNOWN)
        if not 1 <= size <= most:
            raise ConfigError(f"size is 1 to {most} tasks of each family, not {size}")
        self.size, self.seed = size, seed
        self.version = f"1.{size}.{seed}"

    def ids(self) -> Sequence[str]:
        """Family and number, one task of each family after the other."""
        return [_id(name, number) for number in range(self.size) for name in KNOWN]

    def split(self, name: str) -> Sequence[str]:
        """See ``Benchmark.split``. Four fifths of a family's tasks are trained on."""
        if name not in self._parts:
            return super().split(name)
        families, numbers = self._parts[name]
        return [_id(one, number) for number in numbers for one in families]

    def load(self, name: str) -> Task:
        """See ``Benchmark.load``."""
        family, _, number = name.rpartition("-")
        bug = KNOWN[family](Picker(_scattered(int(number), _space(family), f"{self.seed}:{family}")))
        shown, *hidden = _cases(bug, Random(f"{self.seed}:{name}"))
        metadata: dict[str, Any] = {"category": family.partition("-")[0], "family": family}
        if bug.look:
            metadata["demonstration"] = [{"name": "pdb", "arguments": {"command": f"p {bug.look}"}}]
        return Task(
            id=name,
            benchmark=self.name,
            problem=f"In {MODULE}, {_complaint(bug, shown)}",
            source=FilesSource(files={MODULE: bug.wrong, VISIBLE: _test(bug, "example", [shown])}),
            tests=Tests(
                hidden={HIDDEN: _test(bug, "hidden", hidden)},
                fail_to_pass=(f"{VISIBLE}::test_example", f"{HIDDEN}::test_hidden"),
                timeout=20,
                processes=False,
            ),
            gold_patch=unified_diff(bug.wrong, bug.right, f"a/{MODULE}", f"b/{MODULE}"),
            metadata=metadata,
        )

    @cached_property
    def _parts(self) -> dict[str, tuple[Sequence[str], range]]:
        learned = range(self.size * 4 // 5)
        rest, all_of_it = range(len(learned), self.size), range(self.size)
        validation = [name for name in VALIDATION if name not in self._test]
        train = [name for name in FAMILIES if name not in {*self._test, *validation}]
        return {
            "train": (train, learned),
            "seen": (train, rest),
            "validation": (validation, all_of_it),
            "test": (self._test, all_of_it),
            "runtime": ([*RUNTIME], all_of_it),
            "runtime-train": ([*RUNTIME], learned),
            "runtime-test": ([*RUNTIME], rest),
        }


def _id(family: str, number: int) -> str:
    return f"{family}-{number:05}"


@cache
def _space(family: str) -> int:
    """How many different tasks a family has."""
    pick = Picker(0)
    KNOWN[family](pick)
    return pick.space


def _scattered(number: int, space: int, seed: str) -> int:
    """A permutation of the numbers below ``space``: neighbours come to lie far apart."""
    random = Random(seed)
    step = 0
    while math.gcd(step, space) != 1:
        step = random.randrange(1, space)
    return (number * step + random.randrange(space)) % space


def _cases(bug: Bug, random: Random) -> list[Case]:
    """A call that goes wrong; then the hidden test's: another one if there is, and some that do not."""
    right, wrong = _function(bug, bug.right), _function(bug, bug.wrong)
    drawn = {repr(call): call for call in (bug.draw(random) for _ in range(DRAWN))}
    calls = [*filter(None, [bug.shown]), *drawn.values()]
    found = [(call, right(*call), _outcome(wrong, call)) for call in calls]
    shown, *failing = (case for case in found if case[1] != case[2])
    first = failing[0] if failing else shown
    others = [case for case in found if case not in (shown, first)]
    others.sort(key=lambda case: case[1] == first[1])  # not one result for all, if there are others
    return [shown, first, *others[: CASES - 1]]


def _outcome(function: Any, call: tuple[object, ...]) -> object:
    with suppress(Exception):  # whatever a bug makes of it
        return function(*call)
    return None


def _function(bug: Bug, source: str) -> Any:
    namespace: dict[str, Any] = {}
    exec(source, namespace)  # noqa: S102 - a text of the families, nobody else's
    return namespace[bug.function]


def _call(bug: Bug, arguments: tuple[object, ...]) -> str:
    return f"{bug.function}({', '.join(map(repr, arguments))})"


def _complaint(bug: Bug, case: Case) -> str:
    arguments, right, wrong = case
    gives = "fails" if wrong is None else f"gives {wrong!r}"
    return f"{_call(bug, arguments)} {gives}, but {right!r} is right."


def _test(bug: Bug, name: str, cases: list[Case]) -> str:
    lines = [f"    assert {_call(bug, arguments)} == {right!r}" for arguments, right, _ in cases]
    imported = f"import {MODULE.removesuffix('.py')}\nfrom {MODULE.removesuffix('.py')} import {bug.function}"
    return f"{imported}\n\n\ndef test_{name}():\n" + "\n".join(lines) + "\n"
