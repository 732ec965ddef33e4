"""Every sandbox is a runtime behind a connection, whatever started it: what it can be asked, and by whom."""

import errno
import math
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from debug_gym.errors import SandboxError
from debug_gym.runners import Program, PytestSession, Runner, runner_of
from debug_gym.runners.base import COMMAND
from debug_gym.sandbox import replies
from debug_gym.sandbox.base import (
    Changes,
    DebugReply,
    ExecResult,
    Snapshot,
    TestRun,
    TraceRun,
)
from debug_gym.sandbox.connection import Connection
from debug_gym.sandbox.results import NO_PROGRAM, shortened
from debug_gym.sandbox.workspace_diff import with_text_names
from debug_gym.task import Task

MAX_SECONDS = 1e6
"""No time limit is longer: 11 days."""

MAX_LOG = 8 << 20
"""Bytes of a test program's output that are kept to be read."""

T = TypeVar("T")


class RuntimeSandbox:
    """A sandbox, driven over a socket.

    A backend gives what only it can know: ``harvest`` and ``scratch`` (read the changes from the host),
    ``held`` (the descriptors that they need), ``start_another`` (another fresh sandbox of the same task) and
    ``on_close``. ``kill`` says that killing its first process ends all others.
    """

    def __init__(
        self,
        task: Task,
        workspace: str,
        channel: socket.socket,
        *,
        pidfd: int,
        harvest: Callable[[bool], Changes],
        scratch: Callable[[], Changes],
        start_another: Callable[[], "RuntimeSandbox"],
        held: Sequence[int] = (),
        on_close: Callable[[], None] | None = None,
        kill: bool = True,
    ) -> None:
        self.task, self.workspace = task, workspace
        self.connection = Connection(channel, pidfd=pidfd, held=held, kill=kill)
        self._harvest, self._scratch, self._start_another = harvest, scratch, start_another
        self._on_close = on_close

    def request(
        self, op: str, blob: bytes = b"", *, within: float = 0.0, **arguments: Any
    ) -> tuple[dict[str, Any], bytes]:
        """See ``Connection.request``."""
        return self.connection.request(op, blob, within=within, **arguments)

    def _ask(self, parse: Callable[[dict[str, Any]], T], op: str, *, within: float, **arguments: Any) -> T:
        """A request whose reply must be of a certain form."""
        return self.connection.checked(parse, self.request(op, within=within, **arguments)[0])

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
        """See ``Sandbox.exec``."""
        limit = _seconds(self.task.limits.command_timeout if timeout is None else timeout)
        kept = self.task.limits.output
        return self._exec(command, limit, output=kept, blob=stdin, cwd=cwd, env=dict(env or {}))

    def _exec(self, command: str | Sequence[str], limit: float, **options: Any) -> ExecResult:
        words = command if isinstance(command, str) else list(command)
        return self._ask(replies.exec_result, "exec", within=limit, command=words, timeout=limit, **options)

    def shell(self, command: str, *, timeout: float | None = None) -> ExecResult:
        """See ``Sandbox.shell``."""
        limit = _seconds(self.task.limits.command_timeout if timeout is None else timeout)
        output = self.task.limits.output
        return self._ask(
            replies.exec_result, "shell", within=limit, command=command, timeout=limit, output=output
        )

    # -- files ---------------------------------------------------------------------------

    def read(self, path: str, *, limit: int = 16 << 20) -> bytes:
        """See ``Sandbox.read``."""
        return self.request("read", path=path, limit=limit)[1]

    def write(self, path: str, data: bytes, *, mode: int | None = None) -> None:
        """See ``Sandbox.write``."""
        if len(data) > self.task.limits.disk:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        self.request("write", data, path=path, mode=mode)

    def listdir(self, path: str = ".", *, depth: int = 1, limit: int = 2000) -> list[tuple[str, str, int]]:
        """See ``Sandbox.listdir``."""
        return self._ask(replies.entries, "listdir", within=0.0, path=path, depth=depth, limit=limit)

    def grep(
        self, pattern: str, path: str = ".", *, ignore_case: bool = False, limit: int = 100
    ) -> dict[str, Any]:
        """See ``Sandbox.grep``."""
        within = self.task.limits.command_timeout
        return self._ask(
            replies.matches,
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
    ) -> TestRun:
        """See ``Sandbox.run_tests``. ``cold`` runs pytest in a new interpreter."""
        tests = self.task.tests
        limit = _seconds(tests.timeout if timeout is None else timeout)
        runner = runner_of(tests)
        wanted = runner.run(selection)
        if isinstance(wanted, Program):
            return self._run_program(runner, wanted, selection, limit)
        output = self.task.limits.output
        return self._ask(
            replies.test_run,
            "tests",
            within=limit,
            arguments=[*wanted.arguments, *options],
            selection=list(wanted.selection),
            timeout=limit,
            output=output,
            cold=cold,
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
        breakpoints: Sequence[Mapping[str, Any]] = (),
        timeout: float | None = None,
    ) -> DebugReply:
        """See ``Sandbox.debug_start``."""
        words, arguments, selection = self._entry(test, script) if at != "idle" else ([], [], [])
        return self._debug(
            "debug_start",
            timeout,
            script=words,
            at=at,
            arguments=arguments,
            selection=selection,
            breakpoints=[dict(item) for item in breakpoints],
        )

    def _entry(self, test: str | None, script: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
        """How the debugger and traces enter a program: the words of a script, or arguments of pytest and the
        tests that it selects."""
        if script:
            return list(script), [], []
        match runner_of(self.task.tests).debug(test):
            case PytestSession(arguments, selection):
                return [], list(arguments), list(selection)
            case Program() as program:
                return list(program.script), [], []
            case None:
                raise ValueError("the test command is no Python program that could be entered")

    def debug(self, command: str, *, timeout: float | None = None) -> DebugReply:
        """See ``Sandbox.debug``."""
        return self._debug("debug", timeout, command=command)

    def debug_stop(self) -> None:
        """See ``Sandbox.debug_stop``."""
        self.request("debug_stop")

    def _debug(self, op: str, timeout: float | None, **arguments: Any) -> DebugReply:
        limit = _seconds(self.task.limits.command_timeout if timeout is None else timeout)
        output = self.task.limits.output
        return self._ask(replies.debug_reply, op, within=limit, timeout=limit, output=output, **arguments)

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
        last: bool = False,
        timeout: float | None = None,
    ) -> TraceRun:
        """See ``Sandbox.trace``."""
        tests, limits = self.task.tests, self.task.limits
        default = limits.command_timeout if script else tests.timeout
        limit = _seconds(default if timeout is None else timeout)
        words, arguments, selection = self._entry(test, script)
        return self._ask(
            replies.trace_run,
            "trace",
            within=limit,
            points=list(points),
            calls=list(calls),
            assignments=list(assignments),
            script=words,
            arguments=[*arguments, *([] if test is not None else ["-x"])],
            selection=selection,
            hits=hits,
            last=last,
            timeout=limit,
            output=limits.output,
        )

    # -- state ---------------------------------------------------------------------------------

    def changes(self) -> Changes:
        """See ``Sandbox.changes``. Works on a dead sandbox too, until it is closed."""
        with self.connection.lock:
            self.connection.demand_held()
            return with_text_names(self._harvest(False))

    def snapshot(self) -> Snapshot:
        """See ``Sandbox.snapshot``. Of a dead sandbox, the files can still be had."""
        with self.connection.lock:
            self.connection.demand_held()
            alive = self.connection.alive
            shell = self._ask(replies.shell_state, "shell_state", within=5.0) if alive else ""
            return Snapshot(changes=self._harvest(True), scratch=self._scratch(), shell=shell)

    def restore(self, snapshot: Snapshot) -> None:
        """See ``Sandbox.restore``."""
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

    def fork(self) -> "RuntimeSandbox":
        """See ``Sandbox.fork``."""
        snapshot = self.snapshot()
        forked = self._start_another()
        try:
            forked.restore(snapshot)
        except BaseException:
            forked.close()
            raise
        return forked

    # -- the end -------------------------------------------------------------------------------

    def close(self) -> None:
        """See ``Sandbox.close``. From another thread it ends a request that is under way."""
        if self.connection.close() and self._on_close is not None:
            self._on_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _seconds(timeout: float) -> float:
    """A time limit that every system call can take."""
    if math.isnan(timeout):
        raise ValueError("a time limit of NaN seconds")
    return min(timeout, MAX_SECONDS)
