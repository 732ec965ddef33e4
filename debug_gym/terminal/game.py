"""One attempt as its player sees it: what was called, where the program stands, which tests pass."""

import re
from contextlib import suppress

from debug_gym.episode import Step, ToolCall, Verdict
from debug_gym.errors import SandboxError
from debug_gym.session import AttemptSession
from debug_gym.store.records import End, Result
from debug_gym.terminal.grammar import DEBUGGER, Grammar
from debug_gym.terminal.place import Place, Whereabouts
from debug_gym.terminal.workspace import NOTHING, Source, read_plain, read_source
from debug_gym.tools.base import Session, ToolError
from debug_gym.tools.text import relative

_TOLD = re.compile(r"^(\S+::.+) (passed|failed)$", re.MULTILINE)
"""A test's outcome as the debugger tells it."""
PATIENCE = 3.0
"""Seconds that an interrupted call gets."""
DEEPEST, MOST = 12, 2000
"""Levels and entries of the workspace that are listed."""


class Game:
    """An attempt that a person plays.

    ``play`` may be called in a thread of its own; meanwhile nothing else here touches the sandbox, so that
    what was seen last can be shown.

    Args:
        session: of the attempt; it is begun here.

    Raises:
        DebugGymError: the episode cannot begin.
    """

    def __init__(self, session: AttemptSession) -> None:
        self._attempt = session
        self._briefing = session.begin()
        self.grammar = Grammar(self._briefing.tools)
        self.task, self.max_steps = self._briefing.task, self._briefing.max_steps
        self.steps: list[Step] = []
        self.outcomes: dict[str, str] = {}
        """What is known of each test: ``passed``, ``failed``, ..."""
        self.source = Source("", "", exact=False, note=NOTHING)
        """The file in view."""
        self.files: tuple[str, ...] = ()
        self._where = Whereabouts()
        self._list()

    @property
    def problem(self) -> str:
        """What the player is told at the beginning."""
        return self._briefing.observation

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
    def place(self) -> Place | None:
        """Where the debugged program stands."""
        return self._where.place

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
        path = call.arguments.get("path")
        if self.debugging and isinstance(path, str):
            self._remember(path)
        step = self._attempt.step(call)
        self.steps.append(step)
        data = step.observation.data
        if call.name == "eval" and "outcomes" in data:
            whole = not call.arguments.get("tests")
            self.outcomes = {**({} if whole else self.outcomes), **data["outcomes"]}
        if call.name == DEBUGGER:  # which stops in tests, and says which failed, before anybody has run them
            self.outcomes |= dict(_TOLD.findall(step.observation.text))
        moved = call.name == DEBUGGER and "stop" in data and self._where.follow(step)
        if self.result is None:
            with suppress(SandboxError):  # the next call is played in a new sandbox
                self._list()
                self._look(call, moved=moved)
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

    @property
    def _session(self) -> Session:
        session = self._attempt.env.session
        assert session is not None  # it lives until the attempt is over
        return session

    def _list(self) -> None:
        entries = self._session.sandbox.listdir(depth=DEEPEST, limit=MOST)
        self.files = tuple(path for path, kind, _ in entries if kind == "file")

    def _look(self, call: ToolCall, *, moved: bool) -> None:
        """Bring the file to view that a call was about, or else the one in view up to date."""
        path, line = self.source.path, self.source.line
        if moved and self.place is not None:
            path, line = self.place.file, 0
        elif "path" in call.arguments:
            named = relative(self._session, str(call.arguments["path"]))
            if named in self.files:
                line = call.arguments.get("start") or (line if named == path else 1)
                path = named
        if path:
            self.source = read_source(self._session, path, line, self._where)

    def _remember(self, path: str) -> None:
        """The running program keeps to the file as it is before this call."""
        with suppress(OSError, ValueError, ToolError, SandboxError):
            self._where.remember(relative(self._session, path), read_plain(self._session, path))
