"""The conversation between the debugger and the runtime: one text of commands in, one answer out."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from typing import Any, Deque, Dict, NoReturn, Optional

from ..wire import Channel
from .output import Output


class ScriptLine(str):
    """A line of a breakpoint's commands, which nobody has just typed."""


class Conversation:
    """Lines of commands that came in and are not used up yet, and what is said in answer."""

    def __init__(self, channel: Channel, limit: int) -> None:
        self.output = Output(limit)
        self.lines: Deque[str] = deque()
        self.waiting = False
        """An answer is on its way, or the next command is awaited."""
        self.closed = False
        self._dropped: Deque[str] = deque()
        self._channel = channel

    def take_line(self, only: Optional[str] = None) -> Optional[str]:
        """The next line of the text that is being executed (``only`` that one, if named); None at its end."""
        while self.lines and not self.lines[0].strip():
            self.lines.popleft()
        if not self.lines or (only is not None and self.lines[0].strip() != only):
            return None
        return self.lines.popleft()

    def drop(self) -> None:
        """The lines that are left are not executed: what was to come before them has taken too long."""
        typed = (line.strip() for line in self.lines if not isinstance(line, ScriptLine))
        self._dropped.extend(filter(None, typed))
        self.lines.clear()

    def exchange(self, facts: Dict[str, Any]) -> None:
        """Answer, and wait for the next command. Without the runtime, the program ends."""
        self.waiting = True
        if self._dropped:
            self.output.write("not executed, because the time was over: %s\n" % "; ".join(self._dropped))
            self._dropped.clear()
        try:
            self._channel.send({"output": self.output.take(), **facts})
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
                self._channel.send({"output": self.output.take(), "final": True, **facts})

    def tell(self, facts: Dict[str, Any]) -> None:
        """Let the runtime know something on the way: no answer, nothing is awaited."""
        try:
            self._channel.send({"interim": True, **facts})
        except OSError:
            os._exit(1)

    def give_way(self, number: int, facts: Dict[str, Any]) -> NoReturn:
        """Ask the runtime to wake a checkpoint in our place, which goes on with the lines that are left."""
        self.closed = True
        with contextlib.suppress(OSError):
            lines = list(self.lines)
            self._channel.send({"output": self.output.take(), "back": number, "lines": lines, **facts})
        os._exit(0)

    def awake(self) -> Dict[str, Any]:
        """In a checkpoint that was woken: the runtime's orders. What was begun before is forgotten."""
        self.output.take()
        self.lines.clear()
        try:
            while True:
                order = self._channel.receive()[0]
                if (
                    order.get("pid") == os.getpid()
                ):  # else it is for one before us, who did not come to read it
                    self.lines.extend(order["lines"])
                    return order
        except (EOFError, OSError):
            os._exit(1)

    def abandon(self) -> None:
        """In a process that the program forked: let go of the channel."""
        if not self.closed:
            self.closed = True
            os.close(self._channel.read_fd)
