"""The persistent bash: commands go in by one pipe, statuses come out by another, output by a third.

Nothing is matched in the output: no prompt, no marker, no terminal.
"""

from __future__ import annotations

import os
import re
import signal
from functools import partial
from typing import Any

from .output import BoundedOutput
from .processes import descendants, families, not_below, send_signal
from .spawn import spawn
from .supervise import Supervisor, pump

_LOOP = (  # "builtin": functions of these names are nobody else's business
    "shopt -s expand_aliases; "
    'while IFS= builtin read -r -d "" -u 60 __gym_name && IFS= builtin read -r -d "" -u 60 __gym; do '
    'builtin eval "$__gym" 60<&- 61>&-; builtin printf "\\n%s %s\\n" "$__gym_name" $? >&61; done'
)
_BASH = ("/bin/bash", "--norc", "--noprofile", "-c", _LOOP, "bash")
_STATE = (
    "{ builtin declare -p; builtin printf '\\0'; "
    "builtin declare -f; builtin alias -p; builtin printf 'cd %q\\n' \"$PWD\"; } 2>/dev/null"
)
_NOT_KEPT = re.compile(
    r"^declare (?:-[a-zA-Z-]*r|-- (?:__gym|_|BASH_|FUNCNAME|PIPESTATUS)).*\n", re.MULTILINE
)
"""What each shell has of its own."""
_GRACE = 0.3
"""Seconds that bash gets to come back after everything it had started was killed."""


class Shell:
    """One bash process.

    Args:
        supervisor: of its processes.
        pipe: of the output of the shell in whose place it comes, to which jobs may still write.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        pipe: tuple[int, int] | None = None,
    ) -> None:
        self.supervisor = supervisor
        self.earlier: set[int] = set()
        """Processes that commands before the last one have left running."""
        self.used = False
        """It was given a command: before, it has no state of its own."""
        command_read, self.commands = os.pipe()
        self.statuses, status_write = os.pipe()
        self.output, self._output_write = output = pipe or os.pipe()

        null = os.open(os.devnull, os.O_RDONLY)
        files = {0: null, 1: output[1], 2: output[1], 60: command_read, 61: status_write}
        try:
            self.pid = supervisor.make(partial(spawn, _BASH, os.environ, files))
        except OSError:
            for fd in self.fds:
                os.close(fd)
            raise
        finally:
            for fd in (null, command_read, status_write):
                os.close(fd)
        supervisor.keep.add(self.pid)
        for fd in (self.output, self.statuses):
            os.set_blocking(fd, False)

    @property
    def fds(self) -> set[int]:
        """The descriptors that no other child may have."""
        return {self.commands, self.statuses, self.output, self._output_write}

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
        self.used = True
        self.earlier = {*descendants(self.pid), *supervisor.strays()}
        sink = BoundedOutput(limit)
        said = bytearray()
        name = os.urandom(8).hex()  # none that an earlier command could have given a status
        done = re.compile(rb"^%s (\d+)\n" % name.encode(), re.MULTILINE)
        try:
            self._send("%s\0%s" % (name, command))
        except BrokenPipeError:
            pass

        def listen(data: bytes) -> None:
            said.extend(data)
            del said[:-1024]  # whatever a command may write there

        def ended() -> bool:
            return bool(done.search(said)) or self.ended

        readers = {self.output: pump(sink.add), self.statuses: pump(listen)}
        timed_out = not supervisor.wait(readers, ended, timeout)
        killed = 0
        if timed_out:  # end what the command started, not the shell: its folder and variables stay
            killed = self._end_last_command()
            supervisor.wait(readers, ended, _GRACE)
        readers[self.output](self.output)
        reply: dict[str, Any] = {"timed_out": timed_out, "killed": killed, "dropped": sink.dropped}
        reply["output"] = sink.text()
        reply["note"] = supervisor.remarks()
        status = done.search(said)
        if status:
            reply["exit_code"] = None if timed_out else int(status.group(1))
            return reply
        why = "did not stop" if timed_out else "ended (exit, exec, or killed)"
        reply.update(exit_code=None, lost=True)
        lost = "the shell %s; the next command gets a new one in the workspace" % why
        reply["note"] = "; ".join(filter(None, [reply["note"], lost]))
        return reply

    def state(self) -> str | None:
        """Commands that bring another shell to this one's folder, variables, functions and aliases; nothing
        if they are too long. None: this shell can take no other command."""
        reply = self.run(_STATE, 5.0, 1 << 20)
        if reply.get("lost"):
            return None
        if reply["dropped"] or reply["timed_out"]:
            return ""
        variables, _, others = str(reply["output"]).partition("\0")
        return _NOT_KEPT.sub("", variables) + others

    def _send(self, command: str) -> None:
        rest = memoryview(command.encode("utf-8", "surrogateescape") + b"\0")
        while rest:
            rest = rest[os.write(self.commands, rest) :]

    def end(self) -> None:
        """End it, with what the last command started; the jobs of earlier ones run on."""
        self._end_last_command()
        send_signal(self.pid, signal.SIGKILL)
        self.supervisor.end_strays(frozenset(families(self.earlier)))

    def _end_last_command(self) -> int:
        """Kill what it started; give the number. Jobs of earlier commands start children all the time."""
        started = not_below(descendants(self.pid), self.earlier)
        return sum(send_signal(pid, signal.SIGKILL) for pid in started)

    def hand_on(self) -> tuple[int, int]:
        """Close it but for the pipe of its output, which is the next shell's."""
        self._forget()
        return self.output, self._output_write

    def close(self) -> None:
        """Close what is held for it."""
        self._forget()
        os.close(self.output)
        os.close(self._output_write)

    def _forget(self) -> None:
        self.supervisor.keep.discard(self.pid)
        self.supervisor.exited.pop(self.pid, None)
        os.close(self.commands)
        os.close(self.statuses)
