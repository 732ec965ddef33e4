"""The debugger's end of its conversation with the runtime: one command in, one answer out."""

from __future__ import annotations

import contextlib
import io
import os
import signal
from collections import deque
from typing import Any, Deque, Dict

from .output import BoundedOutput
from .wire import Channel

INTERRUPT = getattr(signal, "SIGRTMAX", signal.SIGUSR2)
"""The signal that stops a program which runs too long. Not SIGINT: that one belongs to the program."""


class Words(io.TextIOBase):
    """Collects, within bounds, what the debugger says."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._output = BoundedOutput(limit)

    def write(self, text: str) -> int:
        """See ``io.TextIOBase``."""
        self._output.add(text.encode("utf-8", "replace"))
        return len(text)

    def writable(self) -> bool:
        """See ``io.TextIOBase``."""
        return True

    def take(self) -> str:
        """All that was said since the last time."""
        output, self._output = self._output, BoundedOutput(self._limit)
        return output.text()


class Conversation:
    """Lines of commands that came in and are not used up yet, and the words for the answer."""

    def __init__(self, channel: Channel, limit: int) -> None:
        self.words = Words(limit)
        self.lines: Deque[str] = deque()
        self.waiting = False
        """An answer is on its way, or the next command is awaited."""
        self.closed = False
        self._channel = channel

    def exchange(self, facts: Dict[str, Any]) -> None:
        """Answer, and wait for the next command. Without the runtime, the program ends."""
        self.waiting = True
        try:
            self._channel.send({"output": self.words.take(), **facts})
            text = str(self._channel.receive()[0]["command"])
        except (EOFError, OSError):
            os._exit(1)
        self.lines.extend(text.split("\n"))
        self.waiting = False

    def finish(self, facts: Dict[str, Any]) -> None:
        """Say the last words: the program is about to end."""
        if not self.closed:
            self.closed = True
            with contextlib.suppress(OSError):  # the program has closed the channel
                self._channel.send({"output": self.words.take(), "final": True, **facts})

    def abandon(self) -> None:
        """In a process that the program forked: let go of the channel."""
        if not self.closed:
            self.closed = True
            os.close(self._channel.read_fd)
