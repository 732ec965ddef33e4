"""What a sandbox returns.

Much of it is read from the replies of a runtime, which the host distrusts: see ``replies``. The annotations
of ``strict`` are for that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, NamedTuple

from pydantic import ConfigDict

from debug_gym.sandbox.server.output import BoundedOutput
from debug_gym.sandbox.strict import FailFast, Flag, Number, Text, Texts, Words

_EXACT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class ExecResult:
    """How a command ended."""

    __pydantic_config__ = _EXACT

    exit_code: Number | None
    """None: it did not end by itself (timeout, or the shell was lost). Negative: killed by that signal."""
    output: Text
    """stdout and stderr as they were written, bounded; bytes that are not UTF-8 are replaced."""
    dropped: Number = 0
    """Bytes cut out of the middle of the output."""
    timed_out: Flag = False
    killed: Number = 0
    """Processes that the command left behind and that were ended with it."""
    note: Text = ""
    """What else the caller should know, e.g. that the shell was restarted."""


class DirEntry(NamedTuple):
    """One entry of a folder."""

    path: Text
    """Relative to the folder that was listed."""
    kind: Literal["file", "dir", "link", "other"]
    size: Number
    """Bytes of a file, else 0."""


class Match(NamedTuple):
    """One line that a search found."""

    path: Text
    """Relative to the workspace."""
    line: Number
    """From 1."""
    text: Text
    """The line, cut where it is long."""


@dataclass(frozen=True)
class SearchResult:
    """What a search found."""

    __pydantic_config__ = _EXACT

    matches: Annotated[tuple[Match, ...], FailFast()]
    """Sorted by path and line."""
    truncated: Flag
    """There are more."""
    skipped: Texts = ()
    """Paths of files that are too large to be searched."""


NO_PROGRAM = 127
"""Exit code, as in a shell, of a test command whose program cannot be run."""


def shortened(text: str, size: int) -> tuple[str, int]:
    """The start and the end of a text, together about ``size`` bytes, and how many were cut out."""
    kept = BoundedOutput(size)
    kept.add(text.encode())
    return kept.text(), kept.dropped


@dataclass(frozen=True)
class TestRun:
    """One run of the task's tests."""

    __test__ = False
    __pydantic_config__ = _EXACT

    exit_code: Number | None
    output: Text
    complete: Flag
    """The session collected, ran and finished: without it, no result counts."""
    collected: Texts = ()
    """Test ids in the order in which they were to run."""
    outcomes: Words = field(default_factory=dict)
    """Test id to ``passed``, ``failed``, ``error``, ``skipped``, ``xfailed`` or ``xpassed``."""
    messages: Words = field(default_factory=dict)
    """Test id to the one-line reason of its failure."""
    dropped: Number = 0
    timed_out: Flag = False
    killed: Number = 0
    warm: Flag = False
    """It ran in a fork of the warm interpreter; else in a new one."""
    note: Text = ""
    """Why it did not run warm, or what else the caller should know."""
    forked: Flag = False
    """The session also went on in a process that the code under test had forked."""
    running: Text = ""
    """Of a run that did not come to its end: the test that began last."""
    stack: Texts = ()
    """Of a run that was stopped at its time limit: where its main thread stood, innermost first, each as
    ``path:line in function``."""

    @property
    def passed(self) -> tuple[str, ...]:
        """Ids of the tests that passed, as ``fail_to_pass`` demands it: not those expected to fail."""
        return tuple(test for test, outcome in self.outcomes.items() if outcome == "passed")

    @property
    def failed(self) -> tuple[str, ...]:
        """Ids of the tests that failed or had an error."""
        return tuple(test for test, outcome in self.outcomes.items() if outcome in {"failed", "error"})

    @property
    def success(self) -> bool:
        """The whole session ended well: pytest's (or the command's) exit code 0, with nothing missing."""
        return self.complete and self.exit_code == 0


@dataclass(frozen=True)
class Stop:
    """Where a debugged program stands."""

    __pydantic_config__ = _EXACT

    file: Text
    """Relative to the workspace where it lies in it, else absolute."""
    line: Number
    function: Text
    reason: Text = ""


@dataclass(frozen=True)
class Breakpoint:
    """Where a debugged program is to stop."""

    __pydantic_config__ = _EXACT

    number: Number
    """It stays the same as long as there is an episode; no other gets it."""
    file: Text
    """Relative to the workspace where it lies in it, else absolute."""
    line: Number
    condition: Text | None = None
    """An expression; it stops only where that is true."""
    temporary: Flag = False
    """It goes with its first stop."""
    enabled: Flag = True
    ignore: Number = 0
    """How many times more it is passed without a stop."""
    hits: Number = 0
    """How many times it was reached."""
    commands: Texts = ()
    """What the debugger executes at each stop."""


@dataclass(frozen=True)
class DebugSettings:
    """What can be switched on in the debugger, and the names given to commands."""

    __pydantic_config__ = _EXACT

    changes: Flag = False
    """Each stop lists the local variables that changed since the one before."""
    machinery: Flag = False
    """Stacks show pytest, the import system, asyncio's loop and the debugger, too."""
    aliases: Words = field(default_factory=dict)


@dataclass(frozen=True)
class DebugReply:
    """What the debugger answered."""

    __pydantic_config__ = _EXACT

    output: Text
    """The debugger's own words, without a prompt."""
    program: Text = ""
    """What the program wrote meanwhile, stdout and stderr, bounded."""
    stop: Stop | None = None
    """None: the program is not stopped (it ended)."""
    ended: Flag = False
    exit_code: Number | None = None
    interrupted: Flag = False
    """The time limit passed; the program was interrupted and stands where it was."""
    breakpoints: Annotated[tuple[Breakpoint, ...], FailFast()] = ()
    """All breakpoints now."""
    settings: DebugSettings = field(default_factory=DebugSettings)
    """All settings now."""
    sources: Words = field(default_factory=dict)
    """Text of the files that hold a breakpoint for the first time, as the program runs them."""


@dataclass(frozen=True)
class TraceRow:
    """One thing that a traced program did."""

    entry: int
    """Which entry of the request this belongs to: points, calls and assignments, counted from 0."""
    hit: int
    """How many times that entry had been hit by then, this time included."""
    kind: str
    """``line``, ``call``, ``return``, ``raise``, ``yield`` or ``assign``."""
    file: str
    """Relative to the workspace where it lies in it, else absolute."""
    line: int
    function: str
    """Qualified name; ``<module>`` for the top of a file."""
    depth: int
    """How many traced calls it is inside of."""
    values: tuple[tuple[str, str], ...]
    """Names or expressions with their values in words; the name of what a call returned, raised or yielded
    is empty."""
    caller: str = ""
    """Of a call: ``file:line`` where it was made."""
    thread: str = ""
    """Name of the thread; empty for the main one."""
    process: int = 0
    """0: the program itself; else the number of a process that it forked."""


@dataclass(frozen=True)
class TraceRun:
    """One run under a trace."""

    run: TestRun
    """How it ended. A script has an exit code and output, and no outcomes."""
    rows: tuple[TraceRow, ...] = ()
    """In the order in which they happened."""
    hits: tuple[int, ...] = ()
    """How many times each entry was hit, recorded or not."""
    problems: tuple[str, ...] = ()
    """What is wrong with the request, a sentence each. If there is anything, nothing ran."""


@dataclass(frozen=True)
class FileEntry:
    """One changed path."""

    data: bytes | None = None
    """Content of a regular file; None for a link."""
    mode: int = 0o644
    link: str | None = None
    """Target of a symbolic link."""


@dataclass(frozen=True)
class Changes:
    """How a workspace differs from the task's repository."""

    files: Mapping[str, FileEntry] = field(default_factory=dict)
    """Path relative to the workspace to what is there now."""
    deleted: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    """Folders with nothing in them, of which the repository has none or with something."""
    skipped: tuple[str, ...] = ()
    """Paths left out, each with the reason: ``path: reason`` (special files, too large, unreadable)."""

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths that differ, sorted."""
        return tuple(sorted({*self.files, *self.deleted}))


@dataclass(frozen=True)
class Snapshot:
    """The files of a sandbox at one moment, and where its shell stood."""

    changes: Changes
    scratch: Changes = field(default_factory=Changes)
    """What lies outside the workspace, by absolute paths (``/tmp/...``, the home folder)."""
    shell: str = ""
    """Commands that bring a new shell to the folder, variables and functions of the old one."""
