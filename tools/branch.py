"""A live sandbox with its tools: what an episode plays in, and what its copies are."""

import base64
import copy
import gzip
from dataclasses import replace
from typing import Self

from debug_gym.episode import Observation, ToolCall
from debug_gym.errors import SandboxError
from debug_gym.sandbox import Backend, Changes, Snapshot
from debug_gym.task import Task
from debug_gym.tools.base import Session, Toolbox

MAX_PACKED = 100 << 20
"""Bytes of a packed workspace, as they are sent."""


class Branch:
    """Plays tool calls in a sandbox, and can be copied at any moment.

    It knows the task only as an agent may see it: an agent may hold a copy to try things out in. Such a copy
    gives no reward, has no limit of steps, and is never judged.
    """

    def __init__(self, session: Session, toolbox: Toolbox) -> None:
        self.session, self.toolbox = session, toolbox

    @classmethod
    def start(cls, task: Task, toolbox: Toolbox, backend: Backend) -> Self:
        """A fresh sandbox of a task.

        Raises:
            SandboxUnavailableError: the backend does not work on this machine.
            TaskError: the task's repository or interpreter cannot be had.
        """
        task = task.for_agent()
        session = Session(sandbox=backend.start(task), task=task)
        try:
            for tool in toolbox.tools.values():
                tool.prepare(session)
        except BaseException:
            session.sandbox.close()
            raise
        return cls(session, toolbox)

    def call(self, call: ToolCall) -> Observation:
        """Play a tool call. What is wrong with it is said in the observation.

        A sandbox that has died is replaced by a new one with its files.

        Raises:
            SandboxError: it cannot be replaced.
        """
        try:
            return self.toolbox.call(self.session, call)
        except SandboxError as error:
            return self._revive(error)

    def fork(self) -> Self:
        """An independent copy in a sandbox of its own: files, shell, breakpoints. Close it after use.

        Processes that run (a debugged program, jobs of the shell) are not copied.
        """
        session = self.session
        state = copy.deepcopy(session.state)
        forked = replace(session, sandbox=session.sandbox.fork(), state=state)
        return type(self)(forked, self.toolbox)

    def pack(self) -> bytes:
        """All files of the workspace as a tar archive, but ``.git``.

        Raises:
            SandboxError: they have more than ``MAX_PACKED`` bytes.
        """
        command = (
            "set -o pipefail; tar --create --exclude=./.git --exclude=__pycache__ . | gzip -1 | base64 -w0"
        )
        packed = self.session.sandbox.exec(command, output=MAX_PACKED, timeout=300.0)
        if packed.exit_code != 0 or packed.dropped:
            why = "there is too much of it" if packed.dropped else packed.output[-300:]
            raise SandboxError(f"the workspace cannot be packed: {why}")
        return gzip.decompress(base64.b64decode(packed.output))

    def close(self) -> None:
        """Close the sandbox. Closing twice is fine."""
        self.session.sandbox.close()

    def _revive(self, error: SandboxError) -> Observation:
        """Go on in a new sandbox with the files of the old one, which can be read after its death."""
        old = self.session.sandbox
        now = "A new one has taken its place with your files; the shell and the debugger start anew."
        try:
            files, lost = Snapshot(changes=old.changes()), None
        except SandboxError as failed:  # not every backend can read the files of a dead one
            files, lost = Snapshot(changes=Changes()), failed
        self.session.sandbox = old.another()
        old.close()
        try:
            self.session.sandbox.restore(files)
            if lost is not None:
                raise lost
        except SandboxError as failed:
            now = f"A new one has taken its place, but your changes are lost: {failed}."
        return Observation(text=f"{error}. {now}", error=True)
