"""The descriptors between the runtime and a debugged program, and waiting for what comes over them."""

from __future__ import annotations

import os
import socket
import time
from typing import Any, Callable, Dict, List, Tuple

from ..output import BoundedOutput
from ..processes import send_signal
from ..supervise import Supervisor, pump
from ..wire import encode
from .protocol import INTERRUPT, AnswerReader

GRACE = 1.0
"""Seconds that an interrupted program gets to stop before it is killed."""
SHORT = 0.2
"""Seconds from the end of a program's descriptors to its own end."""


class Heard:
    """What came from a program until it answered, ended, or did not react to an interrupt."""

    def __init__(self, limit: int, timeout: float) -> None:
        self.last: Dict[str, Any] = {}
        """The answer; empty if there is none."""
        self.said = BoundedOutput(limit)
        """What the debugger told on the way to it."""
        self.program = BoundedOutput(limit)
        """What the program wrote."""
        self.interrupted = False
        self.deadline = time.monotonic() + timeout


class Connection:
    """The runtime's ends of a channel for commands and answers, and of a pipe for the program's output.

    A checkpoint that takes the program's place uses the same ones. Nothing here waits for a program to read.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        ours, theirs = socket.socketpair()
        output, written = os.pipe()
        self.channel, self.output = ours.detach(), output
        self.program_ends: Tuple[int, int] = (theirs.detach(), written)
        """The other ends, for the child that is to be forked."""
        for fd in self.fds:
            os.set_blocking(fd, False)

    @property
    def fds(self) -> Tuple[int, int]:
        """The descriptors that no other child may inherit."""
        return self.channel, self.output

    def hand_over(self) -> None:
        """The child is forked: its ends are its own."""
        for fd in self.program_ends:
            os.close(fd)

    def close(self) -> None:
        """Nothing more is to come."""
        for fd in self.fds:
            os.close(fd)

    def send(self, message: Dict[str, Any]) -> bool:
        """Send a message that fits into the channel at once; False if the program does not take it."""
        data = encode(message)
        try:
            return os.write(self.channel, data) == len(data)
        except OSError:
            return False

    def hear(self, pid: int, request: Dict[str, Any], note: Callable[[Dict[str, Any]], None]) -> Heard:
        """Wait for the answer, or the end of the program; at the time limit, interrupt it. ``note`` gets
        all that it sends, as it comes."""
        supervisor, answer = self._supervisor, AnswerReader()
        heard = Heard(request["output"], request["timeout"])
        supervisor.out_of_memory = False
        take = pump(heard.program.add)
        readers = {self.channel: answer.read, self.output: take}
        found: List[Dict[str, Any]] = []

        def answered() -> bool:
            for frame in iter(answer.take, None):
                note(frame)
                if frame["interim"]:
                    heard.said.add(frame["output"].encode("utf-8", "replace"))
                else:
                    found.append(frame)
            return bool(found) or answer.broken or pid in supervisor.exited

        heard.interrupted = not supervisor.wait(readers, answered, request["timeout"])
        if heard.interrupted:
            send_signal(pid, INTERRUPT)
            supervisor.wait(readers, answered, GRACE)
        if answer.broken:
            supervisor.wait({self.output: take}, lambda: pid in supervisor.exited, SHORT)
        if pid in supervisor.exited:  # the last words may lie in the channel
            answer.read(self.channel)
            answered()
        take(self.output)
        if found:
            heard.last = found[-1]
            heard.last["output"] = heard.said.text() + heard.last["output"]
        return heard

    def drain(self, heard: Heard) -> None:
        """The program has ended: take all that it wrote."""
        pump(heard.program.add, rounds=1 << 10)(self.output)
