"""The host's handle on a template: a warm interpreter of which sandboxes are forks."""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Protocol, Self

from debug_gym.cache import cache_folder
from debug_gym.errors import SandboxError, SandboxUnavailableError
from debug_gym.sandbox import checkout_cache
from debug_gym.sandbox.connection import WARM_LIMIT
from debug_gym.sandbox.interpreters import BOOT, RUNTIME, sandbox_environment
from debug_gym.sandbox.launcher.enclosure import HOME
from debug_gym.task import Task

START_LIMIT = 20.0
"""Seconds for one sandbox to start."""
TOO_MANY_FILES = "the gym may open no more files: raise the limit (ulimit -n); each sandbox takes six"


def _own_folders() -> list[str]:
    """Where this package lies: it holds the solutions of tasks. Parts of it may be links to elsewhere."""
    own = Path(__file__).parents[1]
    return [str(own), *(str(part.resolve()) for part in own.iterdir() if part.is_symlink())]


@dataclass(frozen=True)
class Wanted:
    """Which warm interpreter."""

    python: str
    preload: tuple[str, ...]
    """Modules that it has imported ahead."""
    variables: tuple[tuple[str, str], ...]
    """Of its environment, sorted."""
    groups: bool
    """Each sandbox gets a memory cgroup."""


class Process(Protocol):
    """What is left of a started program: as ``subprocess.Popen`` has it."""

    def poll(self) -> int | None:
        """None as long as it runs."""
        ...

    def kill(self) -> None:
        """End it."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises ``subprocess.TimeoutExpired``."""
        ...


class _Relative:
    """A process that is no child of this one."""

    def __init__(self, pidfd: int) -> None:
        self._pidfd = pidfd
        self._release = weakref.finalize(self, os.close, pidfd)

    def poll(self) -> int | None:
        """See ``Process.poll``."""
        return 0 if self._ended(0) else None

    def kill(self) -> None:
        """See ``Process.kill``."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """See ``Process.wait``."""
        if not self._ended(timeout):
            raise subprocess.TimeoutExpired("a warm interpreter", timeout or 0.0)
        return 0

    def _ended(self, timeout: float | None) -> bool:
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        return bool(poll.poll(None if timeout is None else timeout * 1000))


class Template:
    """The host's handle on one warm interpreter.

    Args:
        control: the socket on which it takes requests; it has said, or is about to say, that it is warm.
        process: which it is.
        errors: what it writes to its error output.
    """

    def __init__(self, control: socket.socket, process: Process, errors: IO[bytes]) -> None:
        self._socket, self._process, self._errors = control, process, errors
        self._lock = threading.Lock()
        control.settimeout(WARM_LIMIT)
        self._await_warmth()

    @classmethod
    def launch(cls, wanted: Wanted) -> Self:
        """Start an interpreter and wait until it is warm.

        Raises:
            SandboxError: it does not start.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        boot = BOOT + "from debug_gym_runtime.launcher.template import main; main(int(sys.argv[2]))"
        with theirs, contextlib.ExitStack() as on_failure:
            on_failure.push(ours)
            on_failure.push(errors)
            process = subprocess.Popen(
                [wanted.python, "-c", boot, str(RUNTIME), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=sandbox_environment(wanted.python, HOME, dict(wanted.variables)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                cwd="/",
                start_new_session=True,
            )
            on_failure.pop_all()
        with contextlib.suppress(OSError):  # it may have ended already; the lack of an answer will say so
            config = {
                "preload": wanted.preload,
                "masked": _own_folders(),
                "memory_groups": wanted.groups,
                "notes": str(cache_folder() / "interpreters"),
            }
            ours.send(json.dumps(config).encode())
        return cls(ours, process, errors)

    @classmethod
    def borrow(cls, lender: socket.socket, wanted: Wanted) -> Self:
        """A copy of another process's interpreter, warm at once: see ``lend``.

        Raises:
            SandboxError: there is none to be had.
        """
        lender.settimeout(WARM_LIMIT)
        try:
            lender.send(json.dumps(asdict(wanted)).encode())
            said, fds, _, _ = socket.recv_fds(lender, 1 << 16, 3)
        except OSError as error:
            raise SandboxError(f"nobody lends a warm interpreter: {error}") from None
        if len(fds) != 3:
            for fd in fds:
                os.close(fd)
            raise SandboxError(f"a warm interpreter cannot be had: {said.decode() or 'its owner is gone'}")
        control, pidfd, errors = fds
        return cls(socket.socket(fileno=control), _Relative(pidfd), os.fdopen(errors, "rb"))

    def lend(self, borrower: socket.socket) -> None:
        """Fork a copy of the interpreter, for another process to start its own sandboxes from."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours:
            with theirs, self._lock:
                said, fds = self._ask(b'{"op": "copy"}', [theirs.fileno()])
            try:
                if len(fds) != 1:
                    raise SandboxError(json.loads(said).get("error", TOO_MANY_FILES))
                socket.send_fds(borrower, [b"+"], [ours.fileno(), fds[0], self._errors.fileno()])
            finally:
                for fd in fds:
                    os.close(fd)

    def _await_warmth(self) -> None:
        try:
            data = self._socket.recv(1 << 20)
        except OSError:
            data = b""
        if not data:
            self._process.kill()
            self._process.wait()
            said = self._last_words()
            self.close()
            raise SandboxError(f"the warm interpreter ended: {said or 'it was killed'}")

    def _last_words(self) -> str:
        """The last line that the process or one of its forks wrote to its error output."""
        end = os.fstat(self._errors.fileno()).st_size
        tail = os.pread(self._errors.fileno(), 4096, max(0, end - 4096))
        return tail.decode(errors="replace").strip().rpartition("\n")[2]

    def start(self, base: checkout_cache.Base, task: Task) -> tuple[socket.socket, int, list[int]]:
        """Fork a sandbox: its channel, a pidfd of its first process, and its folders' descriptors (upper,
        /tmp, home)."""
        request = {"base": str(base.path), "limits": task.limits.model_dump()}
        with self._lock:
            data, fds = self._ask(json.dumps(request).encode())
        if len(fds) != 2:
            for fd in fds:
                os.close(fd)
            why = json.loads(data).get("error", TOO_MANY_FILES) if data else "the warm interpreter ended"
            raise SandboxUnavailableError(f"a sandbox cannot be started: {why}; see  debug-gym doctor")
        pidfd, channel = fds[0], socket.socket(fileno=fds[1])
        folders: list[int] = []
        try:
            channel.settimeout(START_LIMIT)
            hello, folders, _, _ = socket.recv_fds(channel, 1, 3)
            if hello == b"+" and len(folders) != 3:
                raise SandboxError(f"a sandbox cannot be started: {TOO_MANY_FILES}")
            said = channel.recv(4096)
            if hello + said != b"++":
                told = said.lstrip(b"!").decode(errors="replace")
                why = told or f"its first process ended {self._last_words()}"
                raise SandboxUnavailableError(f"a sandbox cannot be started: {why}; see  debug-gym doctor")
        except BaseException as error:
            channel.close()
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            for fd in (pidfd, *folders):
                os.close(fd)
            if isinstance(error, OSError):
                raise SandboxError(f"a new sandbox does not answer: {error}") from None
            raise
        return channel, pidfd, list(folders)

    def _ask(self, request: bytes, rights: Sequence[int] = ()) -> tuple[bytes, list[int]]:
        """Send a request and wait for its answer. Without one the process is killed: a late answer would
        be taken for that to the next request."""
        try:
            self._socket.settimeout(START_LIMIT)
            socket.send_fds(self._socket, [request], list(rights))
            data, fds, _, _ = socket.recv_fds(self._socket, 1 << 16, 2)
        except BaseException as error:
            self._process.kill()
            self._process.wait()
            if isinstance(error, OSError):
                raise SandboxError(f"the warm interpreter does not answer: {error}") from None
            raise
        return data, list(fds)

    @property
    def alive(self) -> bool:
        """The process still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process. The sandboxes that it forked live on."""
        self._socket.close()
        self._errors.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def forget(self) -> None:
        """In a forked copy of the gym's process: let go of the socket."""
        self._socket.close()
        self._errors.close()
