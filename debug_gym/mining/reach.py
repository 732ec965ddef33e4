"""Which tests call which functions, and how far a failure lies from the code that causes it."""

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from debug_gym.mining.base import FallenError, Files, Ground, Texts
from debug_gym.mining.hunks import hunks

_SCRIPT, _RESULT = ".debug-gym-recorder.py", ".debug-gym-recorder.json"
_LIMIT = 256 << 20
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Way:
    """How a test gets to a function."""

    calls: int
    """Calls of the repository's functions, that of the function itself included."""
    files: int
    """Files that they lie in."""


@dataclass(frozen=True)
class Distance:
    """How far the failure of a test lies from the function that causes it."""

    calls: int
    files: int
    later_calls: int
    """Calls of the repository's functions between the last one of that function and the failure."""
    on_traceback: bool
    """The function stands in the traceback."""

    @property
    def score(self) -> float:
        """How hard it is to get from one to the other by reading: more is further."""
        return self.calls + 2 * (self.files - 1) + min(self.later_calls, 20) / 5 - 2 * self.on_traceback


@dataclass(frozen=True)
class Reach:
    """What one recorded run of the tests gave."""

    outcomes: Mapping[str, str]
    ways: Mapping[str, Mapping[str, Way]]
    """Function (``path:first line``, decorators count) to test to the way there."""
    distances: Mapping[str, Distance]
    """Failing test to its distance from the nearest target."""


def reach(ground: Ground, files: Files, selection: Sequence[str] = (), targets: Sequence[str] = ()) -> Reach:
    """Run tests of a repository under a recorder.

    Args:
        ground: the repository.
        files: what of it differs.
        selection: ids or paths; none: all tests.
        targets: functions whose distance from the failures is wanted.

    Raises:
        FallenError: the run leaves no result.
    """
    words = [_RESULT, str(ground.timeout), json.dumps(list(targets)), *ground.command[3:], *selection]
    with ground.start(files) as sandbox:
        sandbox.write(_SCRIPT, Path(__file__).with_name("recorder.py").read_bytes())
        done = sandbox.exec(["python", _SCRIPT, *words], timeout=ground.timeout + 5)
        try:
            found = json.loads(sandbox.read(_RESULT, limit=_LIMIT))
        except (OSError, ValueError):
            said = done.output.strip().rpartition("\n")[2]
            raise FallenError("find", "its tests cannot be recorded", said) from None
    names = found["functions"]
    ways: dict[str, dict[str, Way]] = {name: {} for name in names}
    for test, reached in found["reached"].items():
        for number, calls, modules in reached:
            ways[names[number]][test] = Way(calls, modules)
    distances = {test: Distance(**distance) for test, distance in found["distances"].items()}
    return Reach(found["outcomes"], ways, distances)


def functions(text: str) -> dict[int, tuple[int, int]]:
    """First line of each function of a file (decorators count) to its first and last line."""
    found = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, _FUNCTIONS):
            first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
            found[first] = first, node.end_lineno or node.lineno
    return found


def changed_functions(broken: Texts, fixed: Texts) -> list[str]:
    """The functions of the broken code that the fix changes, innermost, as ``path:first line``."""
    found: dict[str, None] = {}
    for hunk in hunks(broken, fixed):
        text = broken.get(hunk.path)
        if text is None or hunk.whole:
            continue
        around = [
            (last - first, first)
            for first, last in functions(text).values()
            if first <= hunk.start + 1 <= last or first <= hunk.end <= last
        ]
        if around:
            found[f"{hunk.path}:{min(around)[1]}"] = None
    return list(found)


def nearest(distances: Mapping[str, Distance]) -> Distance | None:
    """That of the failure which is nearest to the cause: whoever looks at it has the shortest way."""
    return min(distances.values(), key=lambda distance: distance.score, default=None)
