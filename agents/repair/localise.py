"""Where the bug may be: spectrum-based fault localisation over the lines that the tests execute.

The suspiciousness of a line is Ochiai's coefficient (Abreu, Zoeteweij and van Gemund, "An evaluation of
similarity coefficients for software fault localization", PRDC 2006)::

    s(line) = ef / sqrt(F * (ef + ep))

with ``ef`` and ``ep`` the numbers of failing and passing tests that execute the line, and ``F`` the number of
failing tests. It goes from 0 (no failing test comes by) to 1 (all failing tests and no others do).
"""

import ast
import base64
import binascii
import json
import math
import re
import shlex
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from debug_gym.agents.repair.bench import Workbench, WorkbenchError
from debug_gym.agents.repair.source import FUNCTIONS, Source, Types
from debug_gym.runners import PytestSession, runner_of
from debug_gym.task import Task

CHUNK = 48_000
"""Bytes of the result read per command: less than what a sandbox keeps of a command's output."""
ON_TRACEBACK = 1.3
"""Factor for statements that a failing test's exception passed; the innermost gets it in full."""
IN_PROBLEM = 1.15
"""Factor for functions that the problem's text names."""
AT_IMPORT = 0.8
"""Factor for a module's or class's statement, which runs at import, against the uses of what it defines."""


def ochiai(failing: int, passing: int, all_failing: int) -> float:
    """Ochiai's coefficient of a line, from the numbers of failing and passing tests that execute it."""
    return failing / math.sqrt(all_failing * (failing + passing)) if failing else 0.0


@dataclass(frozen=True)
class Spectrum:
    """What one traced run of the tests gave."""

    files: Mapping[str, str]
    """Path to text of each file that a failing test executed."""
    lines: Mapping[str, Mapping[int, tuple[int, int]]]
    """Path and line to the numbers of failing and of passing tests that execute it."""
    outcomes: Mapping[str, str]
    types: Mapping[str, Types] = field(default_factory=dict)
    """Path to what kinds of values the variables had; see ``Source``."""
    raised: Mapping[str, list[tuple[str, int]]] = field(default_factory=dict)
    """Failing test to the places that its exception passed, the innermost first."""

    @property
    def failing(self) -> int:
        """How many tests failed."""
        return sum(outcome in {"failed", "error"} for outcome in self.outcomes.values())


def collect(bench: Workbench, task: Task, seconds: float, seconds_per_test: float) -> Spectrum:
    """Run the visible tests under a tracer, in one command on the workbench.

    Raises:
        WorkbenchError: the task's test command is not pytest, or the traced run left no result.
    """
    entry = runner_of(task.tests).run()
    if not isinstance(entry, PytestSession):
        command = shlex.join(task.tests.command)
        raise WorkbenchError(f"the test command {command} is not pytest: nothing can be traced")
    words = [str(seconds), str(seconds_per_test), *entry.arguments]
    script = Path(__file__).with_name("tracer.py").read_text()
    command = (
        "folder=$(mktemp -d)\n"
        f"cat > $folder/tracer.py <<'END_OF_TRACER'\n{script}\nEND_OF_TRACER\n"
        f"PYTHONDONTWRITEBYTECODE=1 python $folder/tracer.py $folder/result {shlex.join(words)}"
        " > $folder/log 2>&1 < /dev/null\n"
        "if [ -f $folder/result ]; then wc -c < $folder/result; else tail -c 2000 $folder/log; fi\n"
    )
    said = bench.bash(command, timeout=seconds + 5)
    if not said.strip().isdigit():
        raise WorkbenchError(f"the traced run of the tests left no result: {said.strip()[-500:]}")
    size = int(said)
    parts = [
        bench.bash(f"tail -c +{start + 1} $folder/result | head -c {CHUNK}", timeout=10).strip()
        for start in range(0, size, CHUNK)
    ]
    bench.bash("rm -rf $folder", timeout=10)
    return unpack("".join(parts))


def unpack(packed: str) -> Spectrum:
    """Read the tracer's result.

    Raises:
        WorkbenchError: it is not what the tracer wrote.
    """
    try:
        data = json.loads(zlib.decompress(base64.b32decode(packed)))
    except (binascii.Error, zlib.error, ValueError) as error:
        raise WorkbenchError(f"the result of the traced run is damaged: {error}") from error
    lines = {
        path: {int(line): (counts[0], counts[1]) for line, counts in entries.items()}
        for path, entries in data["lines"].items()
    }
    raised = {test: [(path, line) for path, line in places] for test, places in data["raised"].items()}
    types = {
        path: {
            int(line): {name: frozenset(kinds) for name, kinds in names.items()}
            for line, names in found.items()
        }
        for path, found in data["types"].items()
    }
    return Spectrum(data["files"], lines, data["outcomes"], types, raised)


class Suspicion:
    """Rates the nodes of the sources by how likely the bug is there."""

    def __init__(self, spectrum: Spectrum, sources: Mapping[str, Source], problem: str = "") -> None:
        self._sources = sources
        self._words = set(re.findall(r"[A-Za-z_]\w{3,}", problem))
        self._lines = {
            (path, line): ochiai(*counts, spectrum.failing)
            for path, entries in spectrum.lines.items()
            for line, counts in entries.items()
        }
        self._raised: dict[tuple[str, int], float] = {}
        for places in spectrum.raised.values():
            for rank, place in enumerate(places):
                factor = 1 + (ON_TRACEBACK - 1) / (1 + rank)
                self._raised[place] = max(factor, self._raised.get(place, 1.0))
        self._rated: dict[ast.AST, float] = {}

    def of(self, source: Source, node: ast.AST) -> float:
        """The suspiciousness of the statement that a node belongs to; 0 where no failing test comes by."""
        place = source.place(node)
        if place is None:
            return 0.0
        if place not in self._rated:
            self._rated[place] = self._rate(source, place)
        return self._rated[place]

    def _rate(self, source: Source, statement: ast.stmt | ast.ExceptHandler) -> float:
        if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
            inner = (
                item for item in ast.walk(statement) if isinstance(item, ast.stmt) and item is not statement
            )
            return max((self.of(source, item) for item in inner), default=0.0)
        if source.function(statement) is None:
            names = {
                item.id
                for item in ast.walk(statement)
                if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
            }
            return AT_IMPORT * max((self._uses.get(name, 0.0) for name in names), default=0.0)
        body = getattr(statement, "body", None)
        last = body[0].lineno - 1 if body else statement.end_lineno or statement.lineno
        places = [(source.path, line) for line in range(statement.lineno, max(last, statement.lineno) + 1)]
        rate = max((self._lines.get(place, 0.0) for place in places), default=0.0)
        rate *= max(self._raised.get(place, 1.0) for place in places)
        function = source.function(statement)
        return rate * (IN_PROBLEM if function is not None and function.name in self._words else 1.0)

    @cached_property
    def _uses(self) -> dict[str, float]:
        """Name to the highest suspiciousness of a line that mentions it, in any file."""
        found: dict[str, float] = {}
        for path, source in self._sources.items():
            for node in source.nodes:
                name = getattr(node, "id", getattr(node, "attr", None))
                if isinstance(node, ast.Name | ast.Attribute) and isinstance(name, str):
                    rate = self._lines.get((path, node.lineno), 0.0)
                    found[name] = max(rate, found.get(name, 0.0))
        return found

    def top(self, count: int) -> list[tuple[str, int, float]]:
        """The most suspicious lines: path, line, suspiciousness."""
        rated = [
            (path, line, rate * self._raised.get((path, line), 1.0))
            for (path, line), rate in self._lines.items()
            if path in self._sources
        ]
        return sorted(rated, key=lambda item: (-item[2], item[0], item[1]))[:count]
