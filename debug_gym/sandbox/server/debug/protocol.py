"""What the debugged program may send to the runtime, and its checks: its code can reach the channel."""

from __future__ import annotations

import os
import signal
from typing import Any, Dict, Optional

from ..wire import HEADER, decode

INTERRUPT = getattr(signal, "SIGRTMAX", signal.SIGUSR2)
"""The signal that stops a program which runs too long. Not SIGINT: that one belongs to the program."""
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


class AnswerReader:
    """Puts the frames together as their bytes come in."""

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
        """The next answer, if it is complete."""
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
