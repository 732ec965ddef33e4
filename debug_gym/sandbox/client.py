"""The sandbox: a runtime behind a connection, whatever started it, and what it can be asked."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from debug_gym.errors import SandboxError
from debug_gym.sandbox import replies
from debug_gym.sandbox.channel import Channel
from debug_gym.sandbox.connection import Connection
from debug_gym.sandbox.harvest import Harvest, RuntimeHarvest
from debug_gym.sandbox.programs import Programs
from debug_gym.sandbox.results import Changes, Snapshot
from debug_gym.sandbox.workspace_diff import with_text_names
from debug_gym.task import Task


class Sandbox(Programs):
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
        self,
        *,
        names: Sequence[str] | None = None,
        preload: Sequence[str] = (),
        home: str = "",
        notes: Path | None = None,
    ) -> None:
        """Hand its configuration to a runtime that was started by ``runtime_command``.

        Args:
            names: top-level modules that lie in the workspace; None: the runtime looks for itself.
            preload: modules to import ahead.
            home: a folder that the runtime removes at its end.
            notes: a folder for what it finds out about its interpreter, for the next one to read.

        Raises:
            SandboxError: it does not start.
        """
        config = {
            "workspace": self.workspace,
            "home": home,
            "names": None if names is None else list(names),
            "preload": list(preload),
            "notes": None if notes is None else str(notes),
            "limits": self.task.limits.model_dump(),
            "scratch": self._harvest.folders if isinstance(self._harvest, RuntimeHarvest) else None,
        }
        self.connection.checked(partial(replies.parse, replies.Greeting), self.connection.greet(config))

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
