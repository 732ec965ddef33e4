"""What a sandbox returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from debug_gym.sandbox.server.output import BoundedOutput


@dataclass(frozen=True)
class ExecResult:
    """How a command ended."""

    exit_code: int | None
    """None: it did not end by itself (timeout, or the shell was lost). Negative: killed by that signal."""
    output: str
    """stdout and stderr as they were written, bounded; bytes that are not UTF-8 are replaced."""
    dropped: int = 0
    """Bytes cut out of the middle of the output."""
    timed_out: bool = False
    killed: int = 0
    """Processes that the command left behind and that were ended with it."""
    note: str = ""
    """What else the caller should know, e.g. that the shell was restarted."""


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

    exit_code: int | None
    output: str
    complete: bool
    """The session collected, ran and finished: without it, no result counts."""
    collected: tuple[str, ...] = ()
    """Test ids in the order in which they were to run."""
    outcomes: Mapping[str, str] = field(default_factory=dict)
    """Test id to ``passed``, ``failed``, ``error``, ``skipped``, ``xfailed`` or ``xpassed``."""
    messages: Mapping[str, str] = field(default_factory=dict)
    """Test id to the one-line reason of its failure."""
    dropped: int = 0
    timed_out: bool = False
    killed: int = 0
    warm: bool = False
    """It ran in a fork of the warm interpreter; else in a new one."""
    note: str = ""
    """Why it did not run warm, or what else the caller should know."""

    @property
    def passed(self) -> tuple[str, ...]:
        """Ids of the tests that passed (an expected failure counts)."""
        return tuple(test for test, outcome in self.outcomes.items() if outcome in {"passed", "xfailed"})

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

    file: str
    """Relative to the workspace where it lies in it, else absolute."""
    line: int
    function: str
    reason: str = ""


@dataclass(frozen=True)
class DebugReply:
    """What the debugger answered."""

    output: str
    """The debugger's own words, without a prompt."""
    program: str = ""
    """What the program wrote meanwhile, stdout and stderr, bounded."""
    stop: Stop | None = None
    """None: the program is not stopped (it ended)."""
    ended: bool = False
    exit_code: int | None = None
    interrupted: bool = False
    """The time limit passed; the program was interrupted and stands where it was."""
    breakpoints: tuple[Mapping[str, Any], ...] = ()
    """All breakpoints now: number, file, line, condition, temporary, enabled, ignore, hits, commands."""
    sources: Mapping[str, str] = field(default_factory=dict)
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
