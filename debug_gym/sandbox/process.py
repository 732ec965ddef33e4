"""The unsafe backend: the same runtime as a plain process in a temporary folder. Used only when named.

For machines without namespaces (macOS, locked-down containers) and code that you trust. It isolates nothing:
the code under test can read your files and reach the network.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from debug_gym.cache import cache_folder
from debug_gym.errors import DebugGymError, SandboxError
from debug_gym.sandbox import checkout_cache
from debug_gym.sandbox.base import Guarantees, Probe
from debug_gym.sandbox.channel import SocketChannel
from debug_gym.sandbox.client import Sandbox
from debug_gym.sandbox.interpreters import interpreter, runtime_command, sandbox_environment
from debug_gym.sandbox.results import Changes
from debug_gym.sandbox.server.files import remove_tree
from debug_gym.sandbox.server.harvest import CACHES, SKIPPED
from debug_gym.sandbox.set_up import set_up
from debug_gym.sandbox.workspace_diff import harvest_tree
from debug_gym.task import DirectorySource, Task


class ProcessBackend:
    """Sandboxes in name only: a copy of the repository and a process of your own user."""

    name = "process"
    guarantees = Guarantees()

    def probe(self) -> Probe:
        """Start one around an empty repository and run a command in it."""
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "probe.txt").write_text("probe\n")
            try:
                with self.start(
                    Task(id="probe", problem="", source=DirectorySource(path=Path(folder)))
                ) as sandbox:
                    works = sandbox.exec("cat probe.txt", timeout=10).output == "probe\n"
            except (DebugGymError, OSError) as error:
                return Probe(False, self.guarantees, str(error))
        return Probe(works, self.guarantees, "unsafe: isolates nothing; use it only for code that you trust")

    def start(self, task: Task) -> Sandbox:
        """See ``Backend.start``."""
        python = interpreter(task.environment)
        base, base_fd = checkout_cache.hold(set_up(task, python, self.start), python)
        home = Path(tempfile.mkdtemp(prefix="debug-gym-"))
        workspace = home / "workspace"
        try:
            shutil.copytree(base.path, workspace, symlinks=True)
            channel, process = _launch(python, home, task)
        except BaseException:
            _remove(home)
            os.close(base_fd)
            raise

        sandbox = Sandbox(
            task,
            str(workspace.resolve()),
            SocketChannel(channel),
            kill=lambda: _end(process),
            start_another=lambda: self.start(task),
            harvest=_TreeHarvest(workspace, base_fd),
            held=[base_fd],
            on_close=lambda: _remove(home),
        )
        preload = task.environment.preload if task.environment.preload is not None else base.imports
        try:
            notes = cache_folder() / "interpreters/process"
            sandbox.boot(names=base.names, preload=preload, home=str(home), notes=notes)
        except DebugGymError as error:
            sandbox.close()
            raise SandboxError(f"the runtime did not start with {python}: {error}") from None
        return sandbox

    def close(self) -> None:
        """Nothing is kept ready."""


@dataclass(frozen=True)
class _TreeHarvest:
    """Compares the workspace with the base, from the host."""

    workspace: Path
    base: int

    def changes(self, everything: bool) -> Changes:
        """See ``Harvest.changes``."""
        now = os.open(self.workspace, os.O_RDONLY | os.O_DIRECTORY)
        try:
            return harvest_tree(now, self.base, CACHES if everything else SKIPPED)
        finally:
            os.close(now)

    def scratch(self) -> Changes:
        """There are no folders of its own but the workspace."""
        return Changes()


def _launch(python: str, home: Path, task: Task) -> tuple[socket.socket, "subprocess.Popen[bytes]"]:
    ours, theirs = socket.socketpair()
    with theirs, contextlib.ExitStack() as on_failure:
        on_failure.push(ours)
        process = subprocess.Popen(
            runtime_command(python),
            env=sandbox_environment(python, str(home), task.environment.variables),
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.DEVNULL,
            cwd=home / "workspace",
            start_new_session=True,
        )
        on_failure.pop_all()
    return ours, process


def _end(process: "subprocess.Popen[bytes]") -> None:
    """The runtime ends its children when its channel closes; give it a moment, then kill it."""
    try:
        process.wait(timeout=2)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _remove(home: Path) -> None:
    with contextlib.suppress(OSError):  # the runtime removes it too, when its channel closes
        remove_tree(str(home))
