"""One attempt as its player sees it: what was called, where the program stands, which tests pass."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from debug_gym.episode import Step, ToolCall, Verdict
from debug_gym.errors import SandboxError
from debug_gym.play.grammar import DEBUGGER, Grammar
from debug_gym.runs.driven import DrivenAttempt
from debug_gym.runs.store import End, Result
from debug_gym.sandbox.runtime.debugwords import RESUMING, TRAVEL
from debug_gym.tools.base import Session, ToolError
from debug_gym.tools.breakpoints import moved_lines
from debug_gym.tools.printable import printable
from debug_gym.tools.text import read_text, relative, split_lines

PROGRAM = "\n--- the program wrote ---\n"
"""What separates the debugger's words from the program's output in an observation."""
NOTHING = "F5  stop where the first test fails\nF6  run the tests\nF2  choose a file"
"""What stands in place of a file at the beginning."""
_FRAME = re.compile(r"^frame at (.+):(\d+) in (.+)$", re.MULTILINE)
MOVING = RESUMING | TRAVEL | {"restart", "run"}
"""Commands after which the program may stand elsewhere."""
PATIENCE = 3.0
"""Seconds that an interrupted call gets."""
DEEPEST, MOST = 12, 2000
"""Levels and entries of the workspace that are listed."""


@dataclass(frozen=True)
class Place:
    """Where the debugged program stands."""

    file: str
    line: int
    function: str
    reason: str


@dataclass(frozen=True)
class Source:
    """A file of the workspace as the player sees it."""

    path: str
    text: str
    line: int = 1
    """The line to look at, from 1."""
    current: int = 0
    """The line where the program stands; 0: elsewhere."""
    points: Mapping[int, int] = field(default_factory=dict)
    """Lines with a breakpoint, and its number."""
    exact: bool = True
    """The text is that of the file; else control characters in it are shown in a visible form."""
    note: str = ""
    """Why there is no text."""


class Game:
    """An attempt that a person plays.

    ``play`` may be called in a thread of its own; meanwhile nothing else here touches the sandbox, so that
    what was seen last can be shown.
    """

    def __init__(self, attempt: DrivenAttempt) -> None:
        self._attempt = attempt
        self.grammar = Grammar(attempt.briefing.tools)
        self.task = attempt.attempt.task
        self.max_steps = attempt.briefing.max_steps
        self.steps: list[Step] = []
        self.outcomes: dict[str, str] = {}
        """What is known of each test: ``passed``, ``failed``, ..."""
        self.place: Place | None = None
        self.source = Source("", "", exact=False, note=NOTHING)
        """The file in view."""
        self.files: tuple[str, ...] = ()
        self._text_there = ""
        """The text of the file where the program stands, when it got there."""
        self._look(None)

    @property
    def problem(self) -> str:
        """What the player is told at the beginning."""
        return self._attempt.briefing.observation

    @property
    def result(self) -> Result | None:
        """How the attempt went; None while it goes on."""
        return self._attempt.result

    @property
    def end(self) -> End | None:
        """The verdict and the patch; None while it goes on."""
        return self._attempt.end

    @property
    def verdict(self) -> Verdict:
        """What the judge said; empty before."""
        return (self.end and self.end.verdict) or Verdict(resolved=False)

    @property
    def debugging(self) -> bool:
        """A program stands in the debugger."""
        return self.place is not None

    @property
    def tests(self) -> tuple[int, int]:
        """How many tests are known to pass, and how many there are."""
        good = sum(outcome in {"passed", "xfailed"} for outcome in self.outcomes.values())
        return good, len(self.outcomes)

    def play(self, call: ToolCall) -> Step:
        """Do a call and look at what it changed. If it ends the attempt, ``result`` is there afterwards.

        Raises:
            DebugGymError: the attempt is over, or it ended by a failure of the infrastructure.
        """
        step = self._attempt.call(call)
        self.steps.append(step)
        data = step.observation.data
        if call.name == "eval" and "outcomes" in data:
            whole = not call.arguments.get("tests")
            self.outcomes = {**({} if whole else self.outcomes), **data["outcomes"]}
        if call.name == DEBUGGER and "stop" in data:
            self._stand(data["stop"], step)
        if self.result is None:
            with suppress(SandboxError):  # the next call is played in a new sandbox
                self._look(call)
        return step

    def interrupt(self) -> bool:
        """Ask the call under way to end now; False where the sandbox cannot do that."""
        return self._attempt.interrupt()

    def finish(self) -> Result:
        """Give up: the workspace is judged as it stands."""
        return self._attempt.finish()

    def abandon(self) -> None:
        """Leave without a verdict. A call that is under way is not waited for."""
        self.interrupt()
        self._attempt.abandon(PATIENCE)

    def _stand(self, stop: Mapping[str, Any] | None, step: Step) -> None:
        """Where the program stopped, or the frame below that was gone to since."""
        frames = _FRAME.findall(split_output(step.observation.text)[0])
        words = {
            line.split()[0] for line in str(step.call.arguments.get("command")).split("\n") if line.strip()
        }
        if stop is None:
            self.place = None
        elif frames:
            file, line, function = frames[-1]
            self.place = Place(file, int(line), function, "frame")
        elif self.place is None or words & MOVING:
            self.place = Place(**stop)

    def _look(self, call: ToolCall | None) -> None:
        """What is to be shown after a call: the files there are, and the one that it was about."""
        session = self._attempt.env.session
        assert session is not None  # it lives until the attempt is over
        if call is not None and DEBUGGER in session.state and not session.state[DEBUGGER].running:
            self.place = None
        entries = session.sandbox.listdir(depth=DEEPEST, limit=MOST)
        self.files = tuple(path for path, kind, _ in entries if kind == "file")
        path, line = self.source.path, 0
        if call is not None and call.name == DEBUGGER and self.place is not None:
            path, line = self.place.file, self.place.line
        elif call is not None and "path" in call.arguments:
            named = relative(session, str(call.arguments["path"]))
            path, line = (named, call.arguments.get("start") or 0) if named in self.files else (path, 0)
        if path:
            self.source = self._read(session, path, line)

    def _read(self, session: Session, path: str, line: int) -> Source:
        try:
            text = read_text(session, path).text.replace("\r\n", "\n")
        except (OSError, ValueError, ToolError) as error:
            return Source(path, "", exact=False, note=f"{path} cannot be shown: {error}")
        before = self.source.line if self.source.path == path else 1
        return Source(
            path=path,
            text=printable(text),
            line=line or before,
            current=self._current(path, text, line),
            points=_points(session, path, text),
            exact=printable(text) == text,
        )

    def _current(self, path: str, text: str, line: int) -> int:
        """Where the program stands in a file, which may have changed since it got there."""
        if self.place is None or self.place.file != path:
            return 0
        if line == self.place.line:
            self._text_there = text
        return moved_lines(split_lines(self._text_there), split_lines(text)).get(self.place.line, 0)


def _points(session: Session, path: str, text: str) -> dict[int, int]:
    """The lines with a breakpoint and its number. Breakpoints keep their order when lines move."""
    memory = session.state.get(DEBUGGER)
    if memory is None:
        return {}
    entries = [entry for entry in memory.breakpoints.entries if entry["file"] == path]
    numbers = {entry["line"]: entry["number"] for entry in entries}
    shown = sorted(memory.lines(path, text))
    if len(shown) != len(numbers):
        return dict.fromkeys(shown, 0)
    return dict(zip(shown, (numbers[line] for line in sorted(numbers)), strict=True))


def change(path: str, old: str, new: str) -> ToolCall | None:
    """The call of ``rewrite`` that turns the text of a file into another; None if they are equal."""
    if old == new:
        return None
    before, after = split_lines(old), split_lines(new)
    if not old.endswith("\n") or not new.endswith("\n"):
        return ToolCall(name="rewrite", arguments={"path": path, "content": new})
    same = _common(before, after)
    same_end = _common(before[same:][::-1], after[same:][::-1])
    if same + same_end == len(before) and same_end:
        same_end -= 1  # only new lines: the old one that follows comes along
    start, end = same + 1, len(before) - same_end
    content = "".join(after[same : len(after) - same_end])
    arguments: dict[str, Any] = {"path": path, "content": content, "start": start}
    if end > start:
        arguments["end"] = end
    return ToolCall(name="rewrite", arguments=arguments)


def _common(left: list[str], right: list[str]) -> int:
    """How many lines at the start are equal."""
    shorter = min(len(left), len(right))
    return next((index for index in range(shorter) if left[index] != right[index]), shorter)


def split_output(text: str) -> tuple[str, str]:
    """An observation of the debugger as its own words and what the program wrote."""
    said, _, written = text.partition(PROGRAM)
    return said, written
