"""The host's end of the protocol: every sandbox is a runtime behind a channel, whatever started it.

The host distrusts the runtime: a reply is bounded in size and time, and whoever breaks the protocol is
killed.
"""

import contextlib
import errno
import math
import os
import select
import signal
import socket
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from debug_gym.errors import ProtocolError, SandboxDiedError, SandboxError, SandboxTimeoutError
from debug_gym.sandbox import replies
from debug_gym.sandbox.base import (
    Changes,
    DebugReply,
    ExecResult,
    FileEntry,
    Snapshot,
    TestRun,
    TraceRun,
)
from debug_gym.sandbox.runtime import wire
from debug_gym.task import Task

GRACE = 10.0
"""Seconds that the runtime gets beyond the limit of what it was asked to do."""
WARM_LIMIT = 120.0
"""Seconds for a runtime to start and import everything that it keeps warm."""
MAX_REPLY = 128 << 20
MAX_SECONDS = 1e6
"""No time limit is longer: 11 days."""

T = TypeVar("T")

_live: "weakref.WeakSet[RuntimeSandbox]" = weakref.WeakSet()


class RuntimeSandbox:
    """A sandbox, driven over a socket.

    A backend gives what only it can know: ``harvest`` and ``scratch`` (read the changes from the host),
    ``held`` (the descriptors that they need), ``start_twin`` (another fresh sandbox of the same task) and
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
        scratch: Callable[[], Mapping[str, FileEntry]],
        start_twin: Callable[[], "RuntimeSandbox"],
        held: Sequence[int] = (),
        on_close: Callable[[], None] | None = None,
        kill: bool = True,
    ) -> None:
        self.task, self.workspace = task, workspace
        self._channel: socket.socket | None = channel
        self._pidfd = pidfd
        self._harvest, self._scratch, self._start_twin = harvest, scratch, start_twin
        self._on_close, self._kill = on_close, kill
        self._release = weakref.finalize(self, _close_all, (pidfd, *held))
        """Closes the descriptors, also those of a sandbox that is forgotten and not closed."""
        self._release.atexit = False
        self._lock = threading.RLock()
        self._died = ""
        channel.setblocking(False)
        _live.add(self)

    # -- the protocol ----------------------------------------------------------------

    def request(
        self, op: str, blob: bytes = b"", *, within: float = 0.0, **arguments: Any
    ) -> tuple[dict[str, Any], bytes]:
        """Send one request and wait for its reply, at most ``within`` seconds and a grace.

        Raises:
            SandboxDiedError, SandboxTimeoutError, ProtocolError: the sandbox is of no more use.
            OSError, ValueError: what the runtime said is wrong with the request.
        """
        reply, payload = self._exchange({"op": op, **arguments}, blob, within)
        if "error" in reply:
            raise self._checked(replies.error, reply)
        return reply, payload

    def _ask(self, parse: Callable[[dict[str, Any]], T], op: str, *, within: float, **arguments: Any) -> T:
        """A request whose reply must be of a certain form."""
        return self._checked(parse, self.request(op, within=within, **arguments)[0])

    def _checked(self, parse: Callable[[dict[str, Any]], T], reply: dict[str, Any]) -> T:
        try:
            return parse(reply)
        except ProtocolError as error:
            self._fail(f"the sandbox sent an invalid reply and was killed: {error}")
            raise ProtocolError(self._died) from None

    def greet(self, config: dict[str, Any]) -> dict[str, Any]:
        """Hand its configuration to a runtime that was started as a plain program; return what it says of
        itself."""
        return self._exchange(config, b"", WARM_LIMIT)[0]

    def _exchange(self, message: dict[str, Any], blob: bytes, within: float) -> tuple[dict[str, Any], bytes]:
        with self._lock:
            if self._channel is None:
                raise SandboxDiedError(self._died or "the sandbox is closed")
            data = wire.encode(message, blob)
            deadline = time.monotonic() + within + GRACE
            try:
                self._send(data, deadline)
                text_size, blob_size = wire.HEADER.unpack(self._receive(wire.HEADER.size, deadline))
                if text_size + blob_size > MAX_REPLY:
                    raise ProtocolError(f"the runtime announced a reply of {text_size + blob_size} bytes")
                reply = wire.decode(self._receive(text_size, deadline))
                return reply, self._receive(blob_size, deadline)
            except (ConnectionError, EOFError):
                self._fail("the sandbox died: its first process was killed or ran out of memory")
                raise SandboxDiedError(self._died) from None
            except TimeoutError:
                what = message.get("op", "its first request")
                self._fail(
                    f"the sandbox did not answer {what!r} within {within + GRACE:.0f} s and was killed"
                )
                raise SandboxTimeoutError(self._died) from None
            except (ProtocolError, ValueError, RecursionError) as error:
                self._fail(f"the sandbox sent an invalid reply and was killed: {error}")
                raise ProtocolError(self._died) from None
            except BaseException:  # e.g. Ctrl-C: what is answered later would be taken for the next reply
                self._fail("the sandbox was killed, since a request to it was interrupted")
                raise

    def _send(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[self._channel.send(view) :]  # type: ignore[union-attr]
            except BlockingIOError:
                self._wait(select.POLLOUT, deadline)

    def _receive(self, size: int, deadline: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            try:
                part = self._channel.recv(min(size - len(data), 1 << 20))  # type: ignore[union-attr]
            except BlockingIOError:
                self._wait(select.POLLIN, deadline)
                continue
            if not part:
                raise EOFError
            data += part
        return bytes(data)

    def _wait(self, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(self._channel, event)  # type: ignore[arg-type]
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise TimeoutError

    def _fail(self, reason: str) -> None:
        self._died = self._died or reason
        self._end()

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
        return self._ask(
            replies.exec_result,
            "exec",
            blob=stdin,
            within=limit,
            command=command if isinstance(command, str) else list(command),
            timeout=limit,
            output=self.task.limits.output,
            cwd=cwd,
            env=dict(env or {}),
        )

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
        self, selection: Sequence[str] = (), *, timeout: float | None = None, cold: bool = False
    ) -> TestRun:
        """See ``Sandbox.run_tests``. ``cold`` runs pytest in a new interpreter."""
        tests = self.task.tests
        limit = _seconds(tests.timeout if timeout is None else timeout)
        pytest_options = pytest_arguments(tests.command)
        if pytest_options is None:
            return self._run_command(limit)
        arguments = [*pytest_options, "-p", "no:cacheprovider", *(selection or tests.visible)]
        output = self.task.limits.output
        return self._ask(
            replies.test_run,
            "tests",
            within=limit,
            arguments=arguments,
            timeout=limit,
            output=output,
            cold=cold,
        )

    def _run_command(self, timeout: float) -> TestRun:
        """A test command that is not pytest: one test, named ``command``."""
        result = self.exec(self.task.tests.command, timeout=timeout)
        return TestRun(
            exit_code=result.exit_code,
            output=result.output,
            complete=not result.timed_out,
            collected=("command",),
            outcomes={"command": "passed" if result.exit_code == 0 else "failed"},
            dropped=result.dropped,
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
        arguments = pytest_arguments(self.task.tests.command) or []
        if test is None:
            arguments = [*arguments, *self.task.tests.visible]
        return self._debug(
            "debug_start",
            timeout,
            test=test,
            script=list(script),
            at=at,
            arguments=arguments,
            breakpoints=[dict(item) for item in breakpoints],
        )

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
        selection = [test] if test is not None else ["-x", *tests.visible]
        return self._ask(
            replies.trace_run,
            "trace",
            within=limit,
            points=list(points),
            calls=list(calls),
            assignments=list(assignments),
            script=list(script),
            arguments=[*(pytest_arguments(tests.command) or []), "-p", "no:cacheprovider", *selection],
            hits=hits,
            last=last,
            timeout=limit,
            output=limits.output,
        )

    # -- state ---------------------------------------------------------------------------------

    def changes(self) -> Changes:
        """See ``Sandbox.changes``. Works on a dead sandbox too, until it is closed."""
        with self._lock:
            self._demand_files()
            return self._harvest(False)

    def snapshot(self) -> Snapshot:
        """See ``Sandbox.snapshot``. Of a dead sandbox, the files can still be had."""
        with self._lock:
            self._demand_files()
            alive = self._channel is not None
            shell = self._ask(replies.shell_state, "shell_state", within=5.0) if alive else ""
            return Snapshot(changes=self._harvest(True), scratch=self._scratch(), shell=shell)

    def restore(self, snapshot: Snapshot) -> None:
        """See ``Sandbox.restore``."""
        entries = {**snapshot.changes.files, **snapshot.scratch}
        files = [[path, entry.mode, entry.link, len(entry.data or b"")] for path, entry in entries.items()]
        blob = b"".join(entry.data or b"" for entry in entries.values())
        deleted = list(snapshot.changes.deleted)
        try:
            self.request("restore", blob, within=30.0, files=files, deleted=deleted, shell=snapshot.shell)
        except SandboxError:
            raise
        except (OSError, ValueError) as error:
            raise SandboxError(f"the snapshot cannot be laid over the sandbox: {error}") from None

    def fork(self) -> "RuntimeSandbox":
        """See ``Sandbox.fork``."""
        snapshot = self.snapshot()
        twin = self._start_twin()
        try:
            twin.restore(snapshot)
        except BaseException:
            twin.close()
            raise
        return twin

    # -- the end -------------------------------------------------------------------------------

    def close(self) -> None:
        """See ``Sandbox.close``. From another thread it ends a request that is under way."""
        channel = self._channel
        if channel is not None:
            self._died = self._died or "the sandbox is closed"
            with contextlib.suppress(OSError):
                channel.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._end()
            if self._release.alive:
                self._release()
                if self._on_close is not None:
                    self._on_close()

    def _demand_files(self) -> None:
        if not self._release.alive:  # the numbers may be somebody else's descriptors by now
            raise SandboxDiedError(self._died or "the sandbox is closed")

    def _end(self) -> None:
        """Kill the first process, and with it everything, and let go of the channel."""
        if self._channel is None:
            return
        self._channel.close()  # at which a runtime ends its children
        self._channel = None
        if self._kill:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def forget(self) -> None:
        """In a forked copy of the gym's process: let go of the descriptors, do nothing else."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        self._release()
        self._died = "this sandbox belongs to the process that this one was forked from"
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _close_all(descriptors: Sequence[int]) -> None:
    for fd in descriptors:
        os.close(fd)


def _forget_all() -> None:
    for sandbox in list(_live):
        sandbox.forget()


os.register_at_fork(after_in_child=_forget_all)


def pytest_arguments(command: Sequence[str]) -> list[str] | None:
    """The arguments of a pytest command (``pytest ...``, ``python -m pytest ...``); None if it is another."""
    words = list(command)
    if words[:1] in (["pytest"], ["py.test"]):
        return words[1:]
    if len(words) >= 3 and Path(words[0]).name.startswith("python") and words[1:3] == ["-m", "pytest"]:
        return words[3:]
    return None


def _seconds(timeout: float) -> float:
    """A time limit that every system call can take."""
    if math.isnan(timeout):
        raise ValueError("a time limit of NaN seconds")
    return min(timeout, MAX_SECONDS)
