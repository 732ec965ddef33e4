"""The sandbox: a runtime behind a connection, whatever started it, and what it can be asked."""

import errno
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from debug_gym.errors import SandboxError
from debug_gym.runners import Program, PytestSession, Runner, runner_of
from debug_gym.runners.base import COMMAND
from debug_gym.sandbox import replies
from debug_gym.sandbox.channel import Channel
from debug_gym.sandbox.connection import Connection
from debug_gym.sandbox.harvest import Harvest, RuntimeHarvest
from debug_gym.sandbox.results import (
    NO_PROGRAM,
    Breakpoint,
    Changes,
    DebugReply,
    DebugSettings,
    DirEntry,
    ExecResult,
    SearchResult,
    Snapshot,
    TestRun,
    TraceRun,
    shortened,
)
from debug_gym.sandbox.workspace_diff import with_text_names
from debug_gym.task import Task

MAX_SECONDS = 1e6
"""No time limit is longer: 11 days."""

MAX_LOG = 8 << 20
"""Bytes of a test program's output that are kept to be read."""

T = TypeVar("T")


class Sandbox:
    """One live sandbox: a copy of a task's repository and a place to run commands in it.

    Every method raises ``SandboxDiedError`` if the sandbox is gone, ``SandboxTimeoutError`` if its runtime
    does not answer, ``ProtocolError`` if it answers what it may not. A relative path is relative to the
    workspace.

    Args:
        task: whose repository it holds.
        workspace: the repository's absolute path inside the sandbox.
        channel: leads to the runtime (``server.runtime``).
        kill: ends every process of the sandbox, now. Called once, after hanging up.
        start_another: gives another fresh sandbox of the same repository.
        harvest: reads what changed; None: the runtime is asked. That is as good, since its answer is trusted
            no more than what lies in the workspace, but a dead one has no answer.
        scratch: folders outside of the workspace that the runtime harvests for snapshots.
        held: descriptors to close at the end.
        on_close: what else there is to free, last.
    """

    def __init__(
        self,
        task: Task,
        workspace: str,
        channel: Channel,
        *,
        kill: Callable[[], None],
        start_another: Callable[[], "Sandbox"],
        harvest: Harvest | None = None,
        scratch: Sequence[str] = (),
        held: Sequence[int] = (),
        on_close: Callable[[], None] | None = None,
    ) -> None:
        self.task, self.workspace = task, workspace
        self.connection = Connection(channel, kill=kill, held=held)
        self._harvest = harvest or RuntimeHarvest(self.connection, scratch)
        self._start_another, self._on_close = start_another, on_close

    def boot(
        self, *, names: Sequence[str] | None = None, preload: Sequence[str] = (), home: str = ""
    ) -> None:
        """Hand its configuration to a runtime that was started by ``runtime_command``.

        Args:
            names: top-level modules that lie in the workspace; None: the runtime looks for itself.
            preload: modules to import ahead.
            home: a folder that the runtime removes at its end.

        Raises:
            SandboxError: it does not start.
        """
        config = {
            "workspace": self.workspace,
            "home": home,
            "names": None if names is None else list(names),
            "preload": list(preload),
            "limits": self.task.limits.model_dump(),
            "scratch": self._harvest.folders if isinstance(self._harvest, RuntimeHarvest) else None,
        }
        self.connection.checked(partial(replies.parse, replies.Greeting), self.connection.greet(config))

    def request(
        self, op: str, blob: bytes = b"", *, within: float = 0.0, **arguments: Any
    ) -> tuple[dict[str, Any], bytes]:
        """See ``Connection.request``."""
        return self.connection.request(op, blob, within=within, **arguments)

    def _ask(self, kind: type[T], op: str, *, within: float = 0.0, **arguments: Any) -> T:
        """A request whose reply must be of a certain form."""
        reply, _ = self.request(op, within=within, **arguments)
        return self.connection.checked(partial(replies.parse, kind), reply)

    def interrupt(self) -> None:
        """See ``Connection.interrupt``."""
        self.connection.interrupt()

    # -- commands ----------------------------------------------------------------------

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
        limit = _seconds(self.task.limits.command_timeout if timeout is None else timeout)
        kept = self.task.limits.output
        return self._exec(command, limit, output=kept, blob=stdin, cwd=cwd, env=dict(env or {}))

    def _exec(self, command: str | Sequence[str], limit: float, **options: Any) -> ExecResult:
        words = command if isinstance(command, str) else list(command)
        return self._ask(ExecResult, "exec", within=limit, command=words, timeout=limit, **options)

    def shell(self, command: str, *, timeout: float | None = None) -> ExecResult:
        """Run a command in the persistent bash: folder, variables, functions and jobs stay."""
        limit = _seconds(self.task.limits.command_timeout if timeout is None else timeout)
        output = self.task.limits.output
        return self._ask(ExecResult, "shell", within=limit, command=command, timeout=limit, output=output)

    def prepare_shell(self) -> None:
        """Start the persistent bash ahead; does not wait for it."""
        self.request("prepare")

    # -- files ---------------------------------------------------------------------------

    def read(self, path: str, *, limit: int = 16 << 20) -> bytes:
        """The content of a file.

        Raises:
            FileNotFoundError, IsADirectoryError, PermissionError: as ``open`` would; a path that leads out
                of the workspace, also through a symbolic link, is a ``PermissionError``.
            ValueError: the file is larger than ``limit`` bytes.
        """
        return self.request("read", path=path, limit=limit)[1]

    def write(self, path: str, data: bytes, *, mode: int | None = None) -> None:
        """Replace or create a file, with its folders. The mode of an existing file is kept unless given."""
        if len(data) > self.task.limits.disk:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        self.request("write", data, path=path, mode=mode)

    def listdir(self, path: str = ".", *, depth: int = 1, limit: int = 2000) -> list[DirEntry]:
        """Entries below a folder, sorted depth first, at most ``limit``; not ``.git`` and ``__pycache__``."""
        return self._ask(replies.Listing, "listdir", path=path, depth=depth, limit=limit).entries

    def grep(
        self, pattern: str, path: str = ".", *, ignore_case: bool = False, limit: int = 100
    ) -> SearchResult:
        """Search files line by line for a regular expression; see ``debug_gym.tools.grep``."""
        within = self.task.limits.command_timeout
        return self._ask(
            SearchResult,
            "grep",
            within=within,
            pattern=pattern,
            path=path,
            ignore_case=ignore_case,
            limit=limit,
            timeout=within,
        )

    # -- tests -----------------------------------------------------------------------------

    def run_tests(
        self,
        selection: Sequence[str] = (),
        *,
        options: Sequence[str] = (),
        timeout: float | None = None,
        cold: bool = False,
        last: bool = False,
    ) -> TestRun:
        """Run the task's test command, or only the given test ids or paths.

        Ids are relative to the workspace, whatever pytest's rootdir; those that are relative to the rootdir
        are understood too, and come back as they were given.

        Args:
            selection: test ids or paths; none: all visible tests.
            options: further arguments of pytest.
            timeout: seconds; None: the task's.
            cold: pytest runs in a new interpreter.
            last: no other run will follow, so that none is prepared for.
        """
        tests = self.task.tests
        limit = _seconds(tests.timeout if timeout is None else timeout)
        runner = runner_of(tests)
        wanted = runner.run(selection)
        if isinstance(wanted, Program):
            return self._run_program(runner, wanted, selection, limit)
        output = self.task.limits.output
        return self._ask(
            TestRun,
            "tests",
            within=limit,
            arguments=[*wanted.arguments, *options],
            selection=list(wanted.selection),
            timeout=limit,
            output=output,
            cold=cold,
            alone=not tests.processes,
            last=last,
        )

    def _run_program(
        self, runner: Runner, program: Program, selection: Sequence[str], timeout: float
    ) -> TestRun:
        """A test command that is not pytest: its runner reads the output."""
        try:
            result = self._exec(program.words, timeout, output=MAX_LOG)
        except (FileNotFoundError, PermissionError) as error:
            reason = f"the test command cannot be run: {program.words[0]}: {error.strerror}\n"
            return TestRun(NO_PROGRAM, reason, True, (COMMAND,), {COMMAND: "failed"})
        outcomes = runner.outcomes(result.output, result.exit_code, selection)
        text, dropped = shortened(result.output, self.task.limits.output)
        return TestRun(
            exit_code=result.exit_code,
            output=text,
            complete=not result.timed_out and not result.dropped,
            collected=tuple(outcomes),
            outcomes=outcomes,
            dropped=dropped + result.dropped,
            timed_out=result.timed_out,
            killed=result.killed,
            note=result.note,
        )

    # -- the debugger ------------------------------------------------------------------------

    def debug_start(
        self,
        *,
        test: str | None = None,
        script: Sequence[str] = (),
        at: str = "start",
        breakpoints: Sequence[Breakpoint] = (),
        settings: DebugSettings | None = None,
        timeout: float | None = None,
    ) -> DebugReply:
        """Start the debugger on a test, or on a script with arguments.

        Args:
            test: a test id; None: the visible tests.
            script: a file and its arguments, in place of a test.
            at: where to stop first: ``start`` (the first line), ``failure`` (post-mortem, where it raised),
                ``breakpoint`` (the first that is reached), ``idle`` (nothing runs; breakpoints can be set).
            breakpoints: to set beforehand, under their numbers.
            settings: to begin with; None: those of the program before.
            timeout: seconds until the first stop.
        """
        entry = self._entry(test, script) if at != "idle" else _entry()
        return self._debug(
            "debug_start",
            timeout,
            **entry,
            at=at,
            breakpoints=[asdict(item) for item in breakpoints],
            settings=None if settings is None else asdict(settings),
        )

    def _entry(self, test: str | None, script: Sequence[str]) -> dict[str, Any]:
        """How the debugger and traces enter a program: see the function ``_entry``."""
        if script:
            return _entry(script)
        match runner_of(self.task.tests).debug(test):
            case PytestSession(arguments, selection):
                return _entry((), arguments, selection)
            case Program() as program:
                return _entry(program.script, harness=program.harness)
            case None:
                raise ValueError("the test command is no Python program that could be entered")

    def debug(self, command: str, *, timeout: float | None = None) -> DebugReply:
        """Give the running debugger one command and wait for its answer."""
        return self._debug("debug", timeout, command=command)

    def debug_stop(self) -> None:
        """End the debugger, if one runs."""
        self.request("debug_stop")

    def _debug(self, op: str, timeout: float | None, **arguments: Any) -> DebugReply:
        limit = _seconds(self.task.limits.command_timeout if timeout is None else timeout)
        output = self.task.limits.output
        return self._ask(DebugReply, op, within=limit, timeout=limit, output=output, **arguments)

    # -- traces --------------------------------------------------------------------------------

    def trace(
        self,
        *,
        points: Sequence[str] = (),
        calls: Sequence[str] = (),
        assignments: Sequence[str] = (),
        test: str | None = None,
        script: Sequence[str] = (),
        hits: int = 20,
        keep: str = "first",
        timeout: float | None = None,
    ) -> TraceRun:
        """Run a test (else the visible ones, to the first that fails) or a script, and record what it does.

        The entries are written as for ``debug_gym.tools.trace``. Of each, so many ``hits`` are kept:
        the ``first``, the ``last``, or half of ``both``. Their expressions are evaluated in the program,
        which may change what it does.
        """
        tests, limits = self.task.tests, self.task.limits
        default = limits.command_timeout if script else tests.timeout
        limit = _seconds(default if timeout is None else timeout)
        entry = self._entry(test, script)
        entry["arguments"] += [] if test is not None else ["-x"]
        reply, _ = self.request(
            "trace",
            within=limit,
            points=list(points),
            calls=list(calls),
            assignments=list(assignments),
            **entry,
            hits=hits,
            keep=keep,
            timeout=limit,
            output=limits.output,
        )
        return self.connection.checked(replies.parse_trace, reply)

    # -- state ---------------------------------------------------------------------------------

    def changes(self) -> Changes:
        """What differs from the task's repository now. Where the host harvests, it can also be had of a dead
        sandbox, until that is closed."""
        with self.connection.lock:
            self.connection.demand_held()
            return with_text_names(self._harvest.changes(False))

    def snapshot(self) -> Snapshot:
        """Keep this moment: files and the shell's state (no running processes). Where the host harvests, the
        files of a dead sandbox can still be had."""
        with self.connection.lock:
            self.connection.demand_held()
            alive = self.connection.alive
            shell = self._ask(replies.ShellState, "shell_state", within=5.0).state if alive else ""
            return Snapshot(changes=self._harvest.changes(True), scratch=self._harvest.scratch(), shell=shell)

    def restore(self, snapshot: Snapshot) -> None:
        """Lay a snapshot's files over this (fresh) sandbox."""
        changes, scratch = snapshot.changes, snapshot.scratch
        entries = {**changes.files, **scratch.files}
        wanted = {
            "deleted": changes.deleted,
            "files": [(path, item.mode, item.link, len(item.data or b"")) for path, item in entries.items()],
            "empty": (*changes.empty, *scratch.empty),
        }
        blob = b"".join(entry.data or b"" for entry in entries.values())
        try:
            self.request("restore", blob, within=30.0, shell=snapshot.shell, **wanted)
        except SandboxError:
            raise
        except (OSError, ValueError) as error:
            raise SandboxError(f"the snapshot cannot be laid over the sandbox: {error}") from None

    def another(self) -> "Sandbox":
        """A fresh sandbox of the same task, as at the start."""
        sandbox = self._start_another()
        sandbox.task = self.task  # that of a pool was started for any task of the same state
        return sandbox

    def fork(self) -> "Sandbox":
        """An independent sandbox with the same files and shell state."""
        snapshot = self.snapshot()
        forked = self.another()
        try:
            forked.restore(snapshot)
        except BaseException:
            forked.close()
            raise
        return forked

    # -- the end -------------------------------------------------------------------------------

    def close(self) -> None:
        """End everything that runs in it and free what it holds. Closing twice is fine. From another thread
        it ends a request that is under way."""
        if self.connection.close() and self._on_close is not None:
            self._on_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _entry(
    script: Sequence[str] = (),
    arguments: Sequence[str] = (),
    selection: Sequence[str] = (),
    *,
    harness: str = "",
) -> dict[str, Any]:
    """The words of a script, and what its tests are built on; or arguments of pytest, and what it
    selects."""
    return {
        "script": list(script),
        "arguments": list(arguments),
        "selection": list(selection),
        "harness": harness,
    }


def _seconds(timeout: float) -> float:
    """A time limit that every system call can take."""
    if math.isnan(timeout):
        raise ValueError("a time limit of NaN seconds")
    return min(timeout, MAX_SECONDS)
