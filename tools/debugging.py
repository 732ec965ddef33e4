"""The program that the ``pdb`` tool debugs: how it is started and commanded, and what is remembered of it."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from debug_gym.episode import Observation
from debug_gym.runners import runner_of
from debug_gym.sandbox import Breakpoint, DebugReply, DebugSettings
from debug_gym.sandbox.server.debug.commands import (
    CONTINUING,
    ENDING,
    STARTING,
    TRAVELLING,
    WITHOUT_PROGRAM,
)
from debug_gym.tools.base import Session, ToolError
from debug_gym.tools.breakpoints import Breakpoints
from debug_gym.tools.printable import printable
from debug_gym.tools.test_output import WarningsSeen
from debug_gym.tools.text import clip, read_text, scrub

MAX_OUTPUT, MAX_PROGRAM = 24_000, 12_000
"""Characters shown of what the debugger says, and of what the program writes."""

At = Literal["failure", "start", "breakpoint"]


@dataclass(frozen=True)
class Target:
    """What is debugged: one test, a script, or (neither) the whole test suite."""

    test: str | None = None
    script: tuple[str, ...] = ()
    at: At | None = None
    """Where the agent wants to stop first; None: at a breakpoint if there are any, else at the failure."""

    @property
    def name(self) -> str:
        """For the agent."""
        return " ".join(self.script) or self.test or "the test suite"


@dataclass
class Debugging:
    """What the tool remembers of an episode."""

    breakpoints: Breakpoints = field(default_factory=Breakpoints)
    target: Target | None = None
    settings: DebugSettings = field(default_factory=DebugSettings)
    """As the debugger reported them last."""
    running: bool = False
    over: bool = False
    """The program has ended, and can still be taken back to where it has stopped."""

    def lines(self, path: str, text: str | None = None) -> set[int]:
        """See ``Breakpoints.lines``."""
        return self.breakpoints.lines(path, text)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Debugging":
        """For a fork of the episode: the program stays behind, breakpoints and settings come along."""
        return Debugging(deepcopy(self.breakpoints, memo), self.target, self.settings)


class DebugCall:
    """One call of the tool: what it does one after the other, and what it has to say."""

    def __init__(self, session: Session, memory: Debugging, timeout: float | None) -> None:
        self.session, self.memory, self.timeout = session, memory, timeout
        self.said: list[str] = []
        self.program: list[str] = []
        self.reply = DebugReply(output="")

    # -- steps --------------------------------------------------------------------------------

    def start_anew(self, target: Target, lines: list[str]) -> None:
        """Start a target, and execute commands: where it stops, except for breakpoints that come first, which
        may be what it is to stop at."""
        self.memory.target = target
        first, rest = ([], lines) if target.at in ("start", "failure") else _split(lines)
        if first:
            self._points(first)
        self.begin(rest)

    def begin(self, lines: list[str]) -> None:
        """Start the target, and execute commands there. Going on is what this does anyway, unless it has just
        begun."""
        target = self.start()
        word = _word(lines[0]) if lines else ""
        begun = word in STARTING or (word in CONTINUING and target.at != "start")
        self.go_on(lines[1:] if begun else lines)

    def execute(self, lines: list[str]) -> None:
        """Commands, of which only the first may be ``restart``."""
        word = _word(lines[0])
        if self.reply.interrupted:
            self.said.append(f"not executed, because the time was over: {_listed(lines)}")
        elif word in STARTING:
            self.restart(lines[0].split()[1:])
            self.go_on(lines[1:])
        elif self.memory.running or (self.memory.over and word in TRAVELLING):
            self.command("\n".join(lines))
        else:
            self._without_program(lines)

    def _without_program(self, lines: list[str]) -> None:
        """Breakpoints can be set and looked at while nothing runs; all else starts a program."""
        if _word(lines[0]) in ENDING | TRAVELLING:
            raise ToolError("no program is being debugged")
        first, rest = _split([line for line in lines if line.strip()])
        if first:
            self._points(first)
        if rest and self.memory.over and _word(rest[0]) in TRAVELLING:
            self.command("\n".join(rest))
        elif rest:
            self.begin(rest)

    def _points(self, lines: Sequence[str]) -> None:
        over = self.memory.over
        self._follow()
        memory = self.memory
        self._take(
            self.session.sandbox.debug_start(
                at="idle", breakpoints=memory.breakpoints.entries, settings=memory.settings
            )
        )
        self._take(self.session.sandbox.debug("\n".join(lines), timeout=self.timeout))
        self.session.sandbox.debug_stop()
        self.memory.running, self.memory.over = False, over

    def restart(self, arguments: Sequence[str]) -> None:
        """Run the same again; new arguments are those of a script."""
        target = self.memory.target
        if arguments:
            if target is None or not target.script:
                raise ToolError("only a script takes arguments: name it by `script`")
            words = 2 if target.script[0] == "-m" else 1
            self.memory.target = Target(script=(*target.script[:words], *arguments), at=target.at)
        self.start()

    def start(self) -> Target:
        """Start the target, with all breakpoints where their lines are now."""
        memory = self.memory
        target = memory.target = memory.target or default_target(self.session)
        self._follow()
        at = target.at or ("breakpoint" if memory.breakpoints.active else "failure")
        goal = {"failure": "the failure", "start": "its start", "breakpoint": "a breakpoint or failure"}[at]
        self.said.append(f"started {target.name}, to stop at {goal}")
        reply = self.session.sandbox.debug_start(
            test=target.test,
            script=target.script,
            at=at,
            breakpoints=memory.breakpoints.entries,
            settings=memory.settings,
            timeout=self.timeout,
        )
        self._take(reply)
        return target

    def go_on(self, lines: Sequence[str]) -> None:
        """Execute commands, if the program has not ended yet, and was not interrupted."""
        if lines and self.reply.interrupted:
            self.said.append(f"not executed, because the time was over: {_listed(lines)}")
        elif lines and self.memory.running:
            self.command("\n".join(lines))
        elif lines:
            self.said.append(f"not executed, because the program ended: {_listed(lines)}")

    def command(self, text: str) -> None:
        """Give the running debugger commands."""
        self._take(self.session.sandbox.debug(text, timeout=self.timeout))

    # -- their results --------------------------------------------------------------------------

    def _take(self, reply: DebugReply) -> None:
        self.reply = reply
        self.memory.breakpoints.update(reply.breakpoints, reply.sources)
        self.memory.settings = reply.settings
        self.memory.running, self.memory.over = not reply.ended, reply.ended
        self.said += filter(None, [reply.output.rstrip()])
        warnings = self.session.state.setdefault("warnings", WarningsSeen())
        self.program += filter(None, [warnings.once(reply.program)])
        if reply.interrupted and reply.stop is not None:
            limit = self.session.task.limits.command_timeout if self.timeout is None else self.timeout
            self.said.append(f"[interrupted after {limit:g} s; `c` goes on from here]")

    def _follow(self) -> None:
        self.said += self.memory.breakpoints.follow(self._read)

    def _read(self, path: str) -> str | None:
        try:
            return read_text(self.session, path).text
        except (OSError, ToolError):
            return None

    def observation(self) -> Observation:
        """All that was said, then what the program wrote, apart from it."""
        text = clip(printable("\n".join(self.said)), MAX_OUTPUT) or "(nothing to show)"
        written = clip(printable("".join(self.program).rstrip("\n")), MAX_PROGRAM)
        if written:
            text += f"\n--- the program wrote ---\n{written}"
        stop = self.reply.stop
        data = {
            "stop": None if stop is None else vars(stop),
            "ended": self.reply.ended,
            "exit_code": self.reply.exit_code,
            "interrupted": self.reply.interrupted,
            "breakpoints": [_data(point) for point in self.memory.breakpoints.entries],
        }
        return Observation(text=scrub(text), data=data)


def _data(point: Breakpoint) -> dict[str, Any]:
    return {**asdict(point), "commands": list(point.commands)}


def _listed(lines: Sequence[str]) -> str:
    return "; ".join(filter(None, map(str.strip, lines)))


def _word(line: str) -> str:
    return line.split(maxsplit=1)[0] if line.strip() else ""


def parts(lines: Sequence[str]) -> Iterator[list[str]]:
    """The text in parts that begin where the program is to be started again."""
    part: list[str] = []
    for line in lines:
        if part and line.strip() == "restart":
            yield part
            part = []
        if part or line.strip():
            part.append(line)
    yield part


def _split(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """The leading commands that need no program, with the blocks of ``commands``; and the rest."""
    flat: list[str] = []
    for line in lines:
        several = _word(line) in WITHOUT_PROGRAM - {"alias"}
        flat += [part.strip() for part in line.split(";;")] if several else [line]
    inside = False
    for n, line in enumerate(flat):
        word = _word(line)
        if not inside and word not in WITHOUT_PROGRAM:
            return flat[:n], flat[n:]
        inside = word != "end" and (inside or word == "commands")
    return flat, []


def default_target(session: Session) -> Target:
    """The first test that failed when the tests were last run; else all of them.

    Raises:
        ToolError: the task's tests are no Python program.
    """
    failed, paths = session.first_failed, session.task.tests.visible
    test = failed or (paths[0] if len(paths) == 1 else None)
    if runner_of(session.task.tests).debug(test) is None:
        raise ToolError("the tests of this task are no Python program: name what to debug by `script`")
    return Target(test=test)
