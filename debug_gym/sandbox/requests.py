"""What a sandbox is asked for and answers at once: commands and files."""

import errno
import math
import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from debug_gym.sandbox import replies
from debug_gym.sandbox.connection import Connection
from debug_gym.sandbox.results import DirEntry, ExecResult, SearchResult
from debug_gym.task import Task

MAX_SECONDS = 1e6
"""No time limit is longer: 11 days."""

T = TypeVar("T")


class Requests:
    """One request at a time to the runtime of a sandbox. A relative path is relative to the workspace."""

    task: Task
    """Whose limits hold."""
    connection: Connection
    """The way to the runtime."""

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
        output: int | None = None,
    ) -> ExecResult:
        """Run one command (a string goes to ``bash -c``) to its end; nothing it started outlives it.

        Args:
            command: a program and its arguments, or a line of bash.
            timeout: seconds; None: the task's.
            stdin: what it reads.
            cwd: its folder; None: the workspace.
            env: variables besides those of the sandbox.
            output: bytes of its output that are kept; None: the task's limit.
        """
        limit = seconds(self.task.limits.command_timeout if timeout is None else timeout)
        kept = self.task.limits.output if output is None else output
        return self._exec(command, limit, output=kept, blob=stdin, cwd=cwd, env=dict(env or {}))

    def _exec(self, command: str | Sequence[str], limit: float, **options: Any) -> ExecResult:
        words = command if isinstance(command, str) else list(command)
        return self._ask(ExecResult, "exec", within=limit, command=words, timeout=limit, **options)

    def shell(self, command: str, *, timeout: float | None = None) -> ExecResult:
        """Run a command in the persistent bash: folder, variables, functions and jobs stay."""
        limit = seconds(self.task.limits.command_timeout if timeout is None else timeout)
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


def seconds(timeout: float) -> float:
    """A time limit that every system call can take."""
    if math.isnan(timeout):
        raise ValueError("a time limit of NaN seconds")
    return min(timeout, MAX_SECONDS)
