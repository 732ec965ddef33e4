"""A stored attempt once more: its tool calls in a fresh sandbox, judged again. What is not as recorded?"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from debug_gym.episode import MAX_ARGUMENTS, Step, ToolCall, Verdict
from debug_gym.errors import DebugGymError
from debug_gym.session import Attempt, AttemptSession
from debug_gym.store.records import End, Result, Run

COMPARED = (
    "resolved",
    "expected",
    "seen",
    "fail_to_pass",
    "pass_to_pass",
    "changed",
    "rejected",
    "cheating",
    "excluded",
    "controls",
    "odds",
    "open_ended",
    "answer",
    "reason",
)
"""Of two verdicts: all but times, the output of the tests, what another harness said, and doubts."""
_LONGEST = 200
"""Characters of a text in a message."""
_CUT = re.compile(r"(.*)\[(\d+) more characters\]", re.DOTALL)
"""A text that was too long to be stored: see ``ToolCall.for_record``."""


@dataclass(frozen=True)
class Difference:
    """One thing that is not as the records have it."""

    kind: Literal["records", "observation", "episode", "verdict", "patch", "failure"]
    """``records``: they contradict each other. ``failure``: the attempt cannot be played here."""
    what: str
    """In words, with both sides."""
    step: int | None = None
    """Which one; counts from 0, as in the trajectory."""


@dataclass(frozen=True)
class Replay:
    """What became of one attempt."""

    task: str
    attempt: int
    differences: tuple[Difference, ...] = ()
    replayed: bool = False
    """Its calls were played and judged."""
    steps: int = 0
    """Calls that it has."""
    foreign: int = 0
    """Of these, calls to tools that are not here (those of MCP servers): their answers were not compared."""


@dataclass
class _Found:
    """Gathers differences: of observations the first one, since those after it follow from it."""

    differences: list[Difference] = field(default_factory=list)
    first: bool = True

    def add(self, kind: Any, what: str, step: int | None = None) -> None:
        self.differences.append(Difference(kind, what, step))

    def observation(self, step: int, what: str) -> None:
        if self.first:
            self.add("observation", what, step)
        self.first = False


def replay(
    run: Run, result: Result, attempt: Attempt, *, session: Callable[[Attempt], AttemptSession], foreign: bool
) -> Replay:
    """Play the calls of an attempt again, compare each answer, and judge what they leave.

    Args:
        run: has the trajectory.
        result: of the attempt.
        attempt: which task, which try.
        session: makes a session that has not begun, without a limit of time.
        foreign: the agent had tools of MCP servers, which are not called.
    """
    trajectory, end = run.trajectory(*result.key), run.end(*result.key)
    assert end is not None  # the records were checked before
    found = _Found()
    skipped = 0
    try:
        with session(attempt) as played:
            first = played.begin().observation
            if first != trajectory.first_observation:
                found.add("episode", f"the task's text differs: {shown(trajectory.first_observation, first)}")
            skipped = _play(played, trajectory.steps, end, found, foreign)
            played.finish()
            again = played.end
    except DebugGymError as error:
        found.add("failure", f"it cannot be played here: {error}")
        return Replay(result.task, result.attempt, tuple(found.differences), steps=result.steps)
    assert again is not None and again.verdict is not None and end.verdict is not None
    for what in _verdicts(end.verdict, again.verdict):
        found.add("verdict", what)
    if again.patch != end.patch:
        found.add("patch", f"the patch differs: {shown(end.patch, again.patch)}")
    return Replay(result.task, result.attempt, tuple(found.differences), True, result.steps, skipped)


def _play(session: AttemptSession, steps: tuple[Step, ...], end: End, found: _Found, foreign: bool) -> int:
    """Play the steps; gives how many were calls to tools that are not here."""
    skipped = 0
    for step in steps:
        if not session.live:
            found.add("episode", f"the episode ends before step {step.index} here", step.index)
            break
        again = session.step(_action(step.call))
        if foreign and step.call.name not in session.env.toolbox.tools:
            skipped += 1
            continue
        for name in ("text", "error", "kind", "data"):
            was, now = (_plain(getattr(side.observation, name)) for side in (step, again))
            if was != now:
                what = "observation differs" if name == "text" else f"observation differs in its {name}"
                found.observation(step.index, f"the {what}: {shown(was, now)}")
                break
        last = step is steps[-1]
        if last and end.ending == "time limit":
            continue  # which says nothing of what was done: it is judged as it stands
        for name in ("reward", "terminated", "truncated"):
            if (was := getattr(step, name)) != (now := getattr(again, name)):
                found.add("episode", f"{name} is {was} in the records and {now} here", step.index)
    else:
        if session.live and end.ending in ("terminated", "step limit"):
            found.add("episode", "the episode does not end with its last step here")
    return skipped


def _action(call: ToolCall) -> ToolCall | str:
    """What was handed in, as far as the records have it."""
    if not call.name and list(call.arguments) == ["invalid"]:
        return str(call.arguments["invalid"])  # it was no call
    whole: dict[str, Any] = _whole(call.arguments)
    restored = call.model_copy(update={"arguments": whole})
    return restored if restored.too_long else call


def _whole(value: Any) -> Any:
    """Texts that were cut off, as long as they were: of calls that were refused for their length."""
    if isinstance(value, str):
        cut = _CUT.fullmatch(value)
        return cut[1] + " " * min(int(cut[2][:9]), 2 * MAX_ARGUMENTS) if cut else value
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """As it is once it was stored."""
    return json.loads(json.dumps(value))


def _verdicts(was: Verdict, now: Verdict) -> Iterator[str]:
    """What differs between two verdicts, the outcomes of tests by name."""
    if was.resolved != now.resolved:
        sides = [
            "resolved" if verdict.resolved else f"not resolved ({verdict.reason})" for verdict in (was, now)
        ]
        yield f"{sides[0]} in the records, {sides[1]} here"
    for name in COMPARED[1:]:
        old, new = _plain(getattr(was, name)), _plain(getattr(now, name))
        if old != new and isinstance(old, dict):
            tests = sorted(test for test in old.keys() | new.keys() if old.get(test) != new.get(test))
            more = f", and {len(tests) - 1} more" if len(tests) > 1 else ""
            test = tests[0]
            yield f"the verdict differs in {name}: {test}: {shown(old.get(test), new.get(test))}{more}"
        elif old != new:
            yield f"the verdict differs in {name}: {shown(old, new)}"


def shown(was: Any, now: Any) -> str:
    """Two values in words; of long texts the first lines that differ."""
    if isinstance(was, str) and isinstance(now, str):
        old, new = was.split("\n"), now.split("\n")
        same = next(
            (at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
        )
        where = f"in line {same + 1} " if max(len(old), len(new)) > 1 else ""
        sides = [_quoted(side[same]) if same < len(side) else "nothing more" for side in (old, new)]
        return f"{where}{sides[0]} in the records, {sides[1]} here"
    return f"{_quoted(was)} in the records, {_quoted(now)} here"


def _quoted(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
