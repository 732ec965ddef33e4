"""The conversation between the debugger and the runtime: one command in, one answer out."""

from __future__ import annotations

import contextlib
import io
import os
import signal
from collections import deque
from typing import Any, Deque, Dict, NoReturn, Optional

from ..output import BoundedOutput
from ..wire import HEADER, Channel, decode

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
            self._channel.send({"output": self.words.take(), "back": number, "lines": lines, **facts})
        os._exit(0)

    def awake(self) -> Dict[str, Any]:
        """In a checkpoint that was woken: the runtime's orders. What was begun before is forgotten."""
        self.words.take()
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


# -- the runtime's end -------------------------------------------------------------------------

_MAX_ANSWER = 32 << 20
"""Bytes of one answer. The program under the debugger can reach the channel and send anything."""
_STOP: Dict[str, Any] = {"file": str, "line": int, "function": str, "reason": str}
_POINT: Dict[str, Any] = {
    "number": int,
    "file": str,
    "line": int,
    "condition": (str, type(None)),
    "temporary": bool,
    "enabled": bool,
    "ignore": int,
    "hits": int,
    "commands": list,
}
_SETTINGS: Dict[str, Any] = {"changes": bool, "machinery": bool, "aliases": dict}
_CHECKPOINT: Dict[str, Any] = {**_STOP, "number": int, "pid": int}


class Answer:
    """One frame, as it comes in."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.broken = False

    def read(self, fd: int) -> bool:
        """Take what a non-blocking descriptor has; False at its end."""
        while True:
            try:
                part = os.read(fd, 1 << 16)
            except BlockingIOError:
                return True
            except OSError:
                part = b""
            self.data += part
            if not part or len(self.data) > _MAX_ANSWER:
                self.broken = True
                return False

    def take(self) -> Optional[Dict[str, Any]]:
        """The answer, if it is complete."""
        if len(self.data) < HEADER.size:
            return None
        size, blob = HEADER.unpack(bytes(self.data[: HEADER.size]))
        end = HEADER.size + size
        if len(self.data) < end + blob:
            return None
        try:
            answer = decode(bytes(self.data[HEADER.size : end]))
        except ValueError:
            self.broken = True
            return None
        del self.data[: end + blob]
        return _checked(answer)


def _checked(answer: Dict[str, Any]) -> Dict[str, Any]:
    """An answer in the form that the host expects, whoever wrote it."""
    stop, points, sources = answer.get("stop"), answer.get("breakpoints"), answer.get("sources")
    checked: Dict[str, Any] = {
        "output": str(answer.get("output", "")),
        "stop": stop if _fits(stop, _STOP) else None,
        "sources": {str(path): str(text) for path, text in sources.items()}
        if isinstance(sources, dict)
        else {},
        "final": bool(answer.get("final")),
        "quit": bool(answer.get("quit")),
        "interim": bool(answer.get("interim")),
    }
    settings = answer.get("settings")
    if isinstance(settings, dict) and _fits(settings, _SETTINGS):
        aliases = {str(name): str(text) for name, text in settings["aliases"].items()}
        checked["settings"] = {**settings, "aliases": aliases}
    if isinstance(points, list) and all(_fits(point, _POINT) for point in points):
        checked["breakpoints"] = points
    checkpoints, lines = answer.get("checkpoints"), answer.get("lines")
    if isinstance(checkpoints, list) and all(_fits(entry, _CHECKPOINT) for entry in checkpoints):
        checked["checkpoints"] = checkpoints
    if isinstance(answer.get("back"), int) and isinstance(lines, list):
        checked["back"], checked["lines"] = answer["back"], [str(line) for line in lines]
    return checked


def _fits(item: Any, kinds: Dict[str, Any]) -> bool:
    if not isinstance(item, dict) or item.keys() != kinds.keys():
        return False
    return all(isinstance(item[name], kind) for name, kind in kinds.items())
