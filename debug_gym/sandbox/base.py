"""The interface of a sandbox, and what a backend promises."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from types import TracebackType
from typing import Any, Protocol, Self

from debug_gym.sandbox.results import (
    Changes,
    DebugReply,
    ExecResult,
    FileEntry,
    Snapshot,
    Stop,
    TestRun,
    TraceRow,
    TraceRun,
)
from debug_gym.task import Task

__all__ = [
    "Backend",
    "Changes",
    "DebugReply",
    "ExecResult",
    "FileEntry",
    "Guarantees",
    "Probe",
    "Sandbox",
    "Snapshot",
    "Stop",
    "TestRun",
    "TraceRow",
    "TraceRun",
]


@dataclass(frozen=True)
class Guarantees:
    """What a backend promises about the code that runs in its sandboxes."""

    files: bool = False
    """Sees no file of the host but the interpreter and the system's programs, and changes none."""
    network: bool = False
    """Reaches no network."""
    processes: bool = False
    """Neither sees nor signals processes outside."""
    memory: bool = False
    """The memory of its processes together is limited. (Without a memory cgroup, what none of them has mapped
    is not seen.)"""
    disk: bool = False
    process_count: bool = False
    cleanup: bool = False
    """Nothing outlives the sandbox, even if the gym is killed."""

    @property
    def isolated(self) -> bool:
        """Enough for code that nobody has read, and for the judge."""
        return self.files and self.network and self.processes and self.cleanup

    def missing(self) -> list[str]:
        """The names of the promises that are not given."""
        return [item.name for item in fields(self) if not asdict(self)[item.name]]


@dataclass(frozen=True)
class Probe:
    """Whether a backend works on this machine, found out by trying it."""

    works: bool
    guarantees: Guarantees
    detail: str = ""
    """What was tried and seen; where it does not work, what to do about it."""


class Sandbox(Protocol):
    """One live sandbox: a copy of a task's repository and a place to run commands in it.

    Every method raises ``SandboxDiedError`` if the sandbox is gone, ``SandboxTimeoutError`` if its runtime
    does not answer. A relative path is relative to the workspace.
    """

    task: Task
    workspace: str
    """The workspace's absolute path inside the sandbox."""

    def exec(
        self,
        command: str | Sequence[str],
        *,
        timeout: float | None = None,
        stdin: bytes = b"",
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> ExecResult:
        """Run one command (a string goes to ``bash -c``) to its end; nothing it started outlives it."""
        ...

    def shell(self, command: str, *, timeout: float | None = None) -> ExecResult:
        """Run a command in the persistent bash: folder, variables, functions and jobs stay."""
        ...

    def read(self, path: str, *, limit: int = 16 << 20) -> bytes:
        """The content of a file.

        Raises:
            FileNotFoundError, IsADirectoryError, PermissionError: as ``open`` would; a path that leads out
                of the workspace, also through a symbolic link, is a ``PermissionError``.
            ValueError: the file is larger than ``limit`` bytes.
        """
        ...

    def write(self, path: str, data: bytes, *, mode: int | None = None) -> None:
        """Replace or create a file, with its folders. The mode of an existing file is kept unless given."""
        ...

    def listdir(self, path: str = ".", *, depth: int = 1, limit: int = 2000) -> list[tuple[str, str, int]]:
        """Entries below a folder, sorted depth first: (path relative to it, kind, size in bytes).

        ``kind`` is ``file``, ``dir``, ``link`` or ``other``. ``.git`` and ``__pycache__`` are left out.
        At most ``limit`` entries come back.
        """
        ...

    def grep(
        self, pattern: str, path: str = ".", *, ignore_case: bool = False, limit: int = 100
    ) -> dict[str, Any]:
        """Search files by a regular expression; see ``debug_gym.tools.grep``."""
        ...

    def run_tests(
        self,
        selection: Sequence[str] = (),
        *,
        options: Sequence[str] = (),
        timeout: float | None = None,
    ) -> TestRun:
        """Run the task's test command, or only the given test ids or paths.

        Ids are relative to the workspace, whatever pytest's rootdir; those that are relative to the rootdir
        are understood too, and come back as they were given. ``options`` are further arguments of pytest.
        """
        ...

    def debug_start(
        self,
        *,
        test: str | None = None,
        script: Sequence[str] = (),
        at: str = "start",
        breakpoints: Sequence[Mapping[str, Any]] = (),
        timeout: float | None = None,
    ) -> DebugReply:
        """Start the debugger on a test, or on a script with arguments.

        Args:
            test: a test id; None: the visible tests.
            script: a file and its arguments, in place of a test.
            at: where to stop first: ``start`` (the first line), ``failure`` (post-mortem, where it raised),
                ``breakpoint`` (the first that is reached), ``idle`` (nothing runs; breakpoints can be set).
            breakpoints: to set beforehand, as ``DebugReply.breakpoints`` gives them.
            timeout: seconds until the first stop.
        """
        ...

    def debug(self, command: str, *, timeout: float | None = None) -> DebugReply:
        """Give the running debugger one command and wait for its answer."""
        ...

    def debug_stop(self) -> None:
        """End the debugger, if one runs."""
        ...

    def trace(
        self,
        *,
        points: Sequence[str] = (),
        calls: Sequence[str] = (),
        assignments: Sequence[str] = (),
        test: str | None = None,
        script: Sequence[str] = (),
        hits: int = 20,
        last: bool = False,
        timeout: float | None = None,
    ) -> TraceRun:
        """Run a test (else the visible ones, to the first that fails) or a script, and record what it does.

        The entries are written as for ``debug_gym.tools.trace``. Of each, the first or the ``last`` so many
        ``hits`` are kept. Their expressions are evaluated in the program, which may change what it does.
        """
        ...

    def changes(self) -> Changes:
        """What differs from the task's repository now."""
        ...

    def snapshot(self) -> Snapshot:
        """Keep this moment: files and the shell's state (no running processes)."""
        ...

    def restore(self, snapshot: Snapshot) -> None:
        """Lay a snapshot's files over this (fresh) sandbox."""
        ...

    def fork(self) -> "Sandbox":
        """An independent sandbox with the same files and shell state."""
        ...

    def close(self) -> None:
        """End everything that runs in it and free what it holds. Closing twice is fine."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Backend(Protocol):
    """A way to make sandboxes."""

    name: str
    guarantees: Guarantees
    """What its sandboxes promise."""

    def probe(self) -> Probe:
        """Try it on this machine. Never raises."""
        ...

    def start(self, task: Task) -> Sandbox:
        """A fresh sandbox for a task.

        Raises:
            SandboxUnavailableError: the backend does not work on this machine.
            TaskError: the task's repository or interpreter cannot be had.
        """
        ...

    def close(self) -> None:
        """Free what the backend keeps ready. Sandboxes that it started live on."""
        ...
