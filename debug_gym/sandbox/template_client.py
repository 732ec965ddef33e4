"""The host's handle on a template: a warm interpreter of which sandboxes are forks."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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


class Template:
    """The host's handle on one warm interpreter."""

    def __init__(
        self, python: str, preload: tuple[str, ...], variables: Mapping[str, str], *, memory_groups: bool
    ) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._socket = ours
        self._lock = threading.Lock()
        boot = BOOT + "from debug_gym_runtime.launcher.template import main; main(int(sys.argv[2]))"
        with theirs:
            self._process = subprocess.Popen(
                [python, "-c", boot, str(RUNTIME), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=sandbox_environment(python, HOME, variables),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                cwd="/",
                start_new_session=True,
            )
        with contextlib.suppress(OSError):  # it may have ended already; the lack of an answer will say so
            config = {"preload": preload, "masked": _own_folders(), "memory_groups": memory_groups}
            ours.send(json.dumps(config).encode())
        ours.settimeout(WARM_LIMIT)
        facts = self._answer()
        self.installed: frozenset[str] = frozenset(facts["installed"])

    def _answer(self) -> dict[str, Any]:
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
        reply: dict[str, Any] = json.loads(data)
        return reply

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

    def _ask(self, request: bytes) -> tuple[bytes, list[int]]:
        """Send a request and wait for its answer. Without one the process is killed: a late answer would
        be taken for that to the next request."""
        try:
            self._socket.settimeout(START_LIMIT)
            self._socket.send(request)
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
