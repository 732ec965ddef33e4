"""The persistent bash: commands go in by one pipe, statuses come out by another, output by a third.

Nothing is matched in the output: no prompt, no marker, no terminal.
"""

from __future__ import annotations

import os
import signal
from typing import Any, Callable

from .output import BoundedOutput
from .supervise import Supervisor, descendants, pump, send_signal

_LOOP = (
    "shopt -s expand_aliases; "
    'while IFS= read -r -d "" -u 60 __gym; do eval "$__gym" 60<&- 61>&-; echo $? >&61; done'
)
_STATE = (
    "{ declare -p | grep -vE '^declare -[a-zA-Z-]*r|^declare -- (__gym|_|BASH_|FUNCNAME|PIPESTATUS)'; "
    "declare -f; alias -p; printf 'cd %q\\n' \"$PWD\"; } 2>/dev/null"
)
_GRACE = 0.3
"""Seconds that bash gets to come back after everything it had started was killed."""


class Shell:
    """One bash process. ``spawn`` forks a prepared child: it runs its argument and never returns."""

    def __init__(self, supervisor: Supervisor, spawn: Callable[[Callable[[], None]], int]) -> None:
        self.supervisor = supervisor
        command_read, self.commands = os.pipe()
        self.statuses, status_write = os.pipe()
        self.output, output_write = os.pipe()

        def become_bash() -> None:
            os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
            for source, target in (
                (output_write, 1),
                (output_write, 2),
                (command_read, 60),
                (status_write, 61),
            ):
                os.dup2(source, target)
            os.closerange(3, 60)
            os.execv("/bin/bash", ["bash", "--norc", "--noprofile", "-c", _LOOP])

        self.pid = spawn(become_bash)
        supervisor.keep.add(self.pid)
        for fd in (command_read, status_write, output_write):
            os.close(fd)
        for fd in (self.output, self.statuses):
            os.set_blocking(fd, False)

    @property
    def ended(self) -> bool:
        """bash is gone."""
        return self.pid in self.supervisor.exited or self.pid not in self.supervisor.keep

    def run(self, command: str, timeout: float | None, limit: int) -> dict[str, Any]:
        """Run a command. ``lost`` in the reply says that this shell can take no other."""
        if "\0" in command:
            raise ValueError("a command cannot hold a NUL character")
        supervisor = self.supervisor
        supervisor.out_of_memory = False
        jobs = set(descendants(self.pid))
        sink = BoundedOutput(limit)
        status = bytearray()
        try:
            self._send(command)
        except BrokenPipeError:
            pass
        readers = {self.output: pump(sink.add), self.statuses: pump(status.extend)}
        timed_out = not supervisor.wait(readers, lambda: status.endswith(b"\n") or self.ended, timeout)
        killed = 0
        if timed_out:  # end what the command started, not the shell: its folder and variables stay
            for pid in set(descendants(self.pid)) - jobs:
                killed += send_signal(pid, signal.SIGKILL)
            supervisor.wait(readers, lambda: status.endswith(b"\n") or self.ended, _GRACE)
        readers[self.output](self.output)
        reply: dict[str, Any] = {"timed_out": timed_out, "killed": killed, "dropped": sink.dropped}
        reply["output"] = sink.text()
        if status.endswith(b"\n"):
            reply["exit_code"] = None if timed_out else int(status)
            if supervisor.out_of_memory:
                reply["note"] = "killed: out of memory (the limit is %d MiB)" % (supervisor.memory >> 20)
            return reply
        why = "did not stop" if timed_out else "ended (exit, exec, or killed)"
        reply.update(exit_code=None, lost=True)
        reply["note"] = "the shell %s; the next command gets a new one in the workspace" % why
        return reply

    def state(self) -> str:
        """Commands that bring another shell to this one's folder, variables, functions and aliases."""
        return str(self.run(_STATE, 5.0, 1 << 20)["output"])

    def _send(self, command: str) -> None:
        rest = memoryview(command.encode("utf-8", "surrogateescape") + b"\0")
        while rest:
            rest = rest[os.write(self.commands, rest) :]

    def close(self) -> None:
        """End it, with its jobs."""
        for pid in [*descendants(self.pid), self.pid]:
            send_signal(pid, signal.SIGKILL)
        self.supervisor.keep.discard(self.pid)
        self.supervisor.exited.pop(self.pid, None)
        for fd in (self.commands, self.statuses, self.output):
            os.close(fd)
