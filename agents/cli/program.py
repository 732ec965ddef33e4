"""The program of an agent product: started in its folder, bounded in time, ended with all that it started."""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from weakref import finalize

from debug_gym.errors import ConfigError

KEPT = 8000
"""Characters of the end of its output that are kept."""
_BOUND = ("setpriv", "--pdeathsig", "KILL")
"""It does not outlive a gym that is killed."""
_ALONE = (
    "unshare",
    "--user",
    "--map-root-user",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
)
_HIDE = """
for folder in "$@"; do mount -t tmpfs -o ro,size=0 hidden "$folder" || exit 121; done
exec unshare --user --map-current-user --mount bash -c "$COMMAND"
"""
"""Mounts that come from an outer user namespace cannot be taken away in an inner one."""


@cache
def demand_hiding() -> None:
    """Raises ``ConfigError`` where folders cannot be hidden from a program."""
    probe = [*_ALONE, "bash", "-c", _HIDE, "hide", "/mnt"]
    variables = {**os.environ, "COMMAND": "true"}
    if (
        shutil.which("unshare") is None
        or subprocess.run(probe, env=variables, capture_output=True, check=False).returncode
    ):
        raise ConfigError(
            "the benchmark's answers cannot be hidden from a program on this machine: user namespaces are "
            "needed (see  debug-gym doctor); -o trusted=true plays it without, where nobody doubts its score"
        )


class Program:
    """A shell command that runs.

    Args:
        command: a line of bash.
        folder: where it starts.
        variables: added to the environment, which is this process's own.
        output: the file that takes its stdout and stderr.
        hidden: folders that are empty for it, and for whatever it starts; none: it sees what this process
            sees.
    """

    def __init__(
        self,
        command: str,
        folder: Path,
        variables: Mapping[str, str],
        output: Path,
        hidden: Sequence[Path],
    ) -> None:
        words = ["bash", "-c", _HIDE, "hide", *map(str, hidden)] if hidden else ["bash", "-c", command]
        bound = _BOUND if shutil.which(_BOUND[0]) else ()
        self._output = output
        self._alive, theirs = os.pipe()
        """Whoever it starts holds the other end of this: it closes when the last has gone."""
        finalize(self, os.close, self._alive)
        with output.open("wb") as file, os.fdopen(theirs, "wb"):
            self._process = subprocess.Popen(
                [*bound, *(_ALONE if hidden else ()), *words],
                cwd=folder,
                env={**os.environ, **variables, "COMMAND": command},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs],
                start_new_session=True,
            )

    @property
    def exit_code(self) -> int | None:
        """None: it runs. 128 + n where signal n ended it."""
        code = self._process.poll()
        return code if code is None or code >= 0 else 128 - code

    @property
    def output(self) -> str:
        """The end of what it has written."""
        return self._output.read_text(errors="replace")[-KEPT:]

    def end(self, grace: float = 2.0) -> None:
        """End it and what it has started; it may tidy up for so many seconds."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
            until = time.monotonic() + grace
            while self._process.poll() is None and time.monotonic() < until:
                time.sleep(0.02)
        self._process.wait()
        select.select([self._alive], [], [], grace)  # what it has started may still be ending
