"""The sandbox of an attempt as one of Inspect's: its own tools and agents work in it."""

import base64
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, TypeVar, overload

from anyio import to_thread
from inspect_ai.util import (
    ExecResult,
    OutputLimitExceededError,
    SandboxEnvironment,
    SandboxUserUnsupportedError,
    sandboxenv,
)
from inspect_ai.util import SandboxUnavailableError as Unavailable
from pydantic import BaseModel

from debug_gym.errors import ConfigError, DebugGymError
from debug_gym.integrations.world import World
from debug_gym.sandbox import Sandbox
from debug_gym.session import AttemptSession

NAME = "debug_gym"
OVER = "The episode is over."
MAX_OUTPUT = 10 << 20
"""Bytes of a command's stdout, and of its stderr, that are kept; Inspect's own limit."""
MAX_FILE = 100 << 20
"""Bytes of a file that may be read; likewise."""

T = TypeVar("T")


@sandboxenv(name=NAME)
class DebugGymSandbox(SandboxEnvironment):
    """Where a sample is played. Its config is a ``World``; the sample's metadata names the ``task``."""

    def __init__(self, session: AttemptSession) -> None:
        super().__init__()
        self.session = session

    @classmethod
    def default_concurrency(cls) -> int | None:
        """See Inspect. Samples wait for a model most of the time."""
        return 8 * (os.cpu_count() or 1)

    @classmethod
    def config_deserialize(cls, config: dict[str, Any]) -> BaseModel:
        """See Inspect."""
        return World.model_validate(config)

    @classmethod
    async def sample_init(
        cls, task_name: str, config: BaseModel | str | None, metadata: Mapping[str, Any]
    ) -> dict[str, SandboxEnvironment]:
        """Begin an episode."""
        if not isinstance(config, World) or "task" not in metadata:
            raise ConfigError(
                f"the sandbox {NAME!r} needs a World as its config and samples whose metadata names a task: "
                "see debug_gym.integrations.inspect_ai.benchmark_task"
            )
        return {"default": cls(await to_thread.run_sync(config.begin, metadata["task"], "inspect"))}

    @classmethod
    async def sample_cleanup(
        cls,
        task_name: str,
        config: BaseModel | str | None,
        environments: dict[str, SandboxEnvironment],
        interrupted: bool,
    ) -> None:
        """Leave what is not over."""
        for environment in environments.values():
            await to_thread.run_sync(environment.as_type(cls).session.abandon)

    async def exec(  # noqa: PLR0917 - Inspect's own
        self,
        cmd: list[str],
        input: str | bytes | None = None,  # noqa: A002 - Inspect's word
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        user: str | None = None,
        timeout: int | None = None,
        timeout_retry: bool = True,
        concurrency: bool = True,
    ) -> ExecResult[str]:
        """See Inspect. Nothing that a command starts outlives it, and none is tried twice."""
        if user is not None:
            raise SandboxUserUnsupportedError(f"every command runs as the sandbox's user, not as {user!r}")
        stdin = input.encode() if isinstance(input, str) else input or b""
        return await self._do(partial(_exec, cmd=cmd, stdin=stdin, cwd=cwd, env=env, timeout=timeout))

    async def write_file(self, file: str, contents: str | bytes) -> None:
        """See Inspect."""
        data = contents.encode() if isinstance(contents, str) else contents
        await self._do(partial(_write, file=file, data=data))

    @overload
    async def read_file(self, file: str, text: Literal[True] = True) -> str: ...

    @overload
    async def read_file(self, file: str, text: Literal[False]) -> bytes: ...

    async def read_file(self, file: str, text: bool = True) -> str | bytes:
        """See Inspect."""
        data = await self._do(partial(_read, file=file))
        return data.decode() if text else data

    async def _do(self, work: Callable[[Sandbox], T]) -> T:
        played = self.session.env.session if self.session.live else None
        if played is None:
            raise Unavailable(OVER)
        try:
            return await to_thread.run_sync(work, played.sandbox)
        except DebugGymError as error:
            raise Unavailable(str(error)) from error


# -- programs of bash: $0 is a limit in bytes -----------------------------------------------------

_RUN = """
folder=$(mktemp -d) || exit
trap 'rm -rf "$folder"' EXIT
"$@" >"$folder/out" 2>"$folder/err"; code=$?
for stream in out err; do head -c "$0" "$folder/$stream" | base64 -w0; echo; done
exit $code
"""
_WRITE = '[ ! -d "$1" ] || exit 21; mkdir -p "$(dirname "$1")" && cat >"$1" || exit 13'
_READ = """
[ -e "$1" ] || exit 2
[ ! -d "$1" ] || exit 21
[ -r "$1" ] || exit 13
[ "$(stat -L -c %s "$1")" -le "$0" ] || exit 27
base64 -w0 "$1"
"""
_ERRORS = {2: FileNotFoundError, 13: PermissionError, 21: IsADirectoryError}


def _exec(
    box: Sandbox,
    *,
    cmd: list[str],
    stdin: bytes,
    cwd: str | None,
    env: Mapping[str, str] | None,
    timeout: float | None,
) -> ExecResult[str]:
    words = ["bash", "-c", _RUN, str(MAX_OUTPUT), *cmd]
    ran = box.exec(words, stdin=stdin, cwd=cwd, env=env, timeout=timeout, output=3 * MAX_OUTPUT)
    if ran.timed_out:
        raise TimeoutError(f"{cmd[0]} did not end within its time limit")
    streams = ran.output.splitlines()
    if ran.exit_code is None or len(streams) != 2:
        raise Unavailable(f"{cmd[0]} was lost: {ran.note or ran.output[-200:]}")
    stdout, stderr = (base64.b64decode(stream).decode(errors="replace") for stream in streams)
    return ExecResult(ran.exit_code == 0, ran.exit_code, stdout, stderr)


def _write(box: Sandbox, file: str, data: bytes) -> None:
    _demand(box.exec(["bash", "-c", _WRITE, "0", file], stdin=data).exit_code, file)


def _read(box: Sandbox, file: str) -> bytes:
    ran = box.exec(["bash", "-c", _READ, str(MAX_FILE), file], output=2 * MAX_FILE)
    if ran.exit_code == 27:
        raise OutputLimitExceededError(f"{MAX_FILE >> 20} MiB", None)
    _demand(ran.exit_code, file)
    return base64.b64decode(ran.output)


def _demand(code: int | None, file: str) -> None:
    if code:
        raise _ERRORS.get(code, OSError)(code, f"{file}: {os.strerror(code)}", file)
