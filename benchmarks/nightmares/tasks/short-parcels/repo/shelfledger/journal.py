"""The journal: one line for everything that has happened, in order."""

from __future__ import annotations

from typing import Callable


class Journal:
    """Numbers lines and gives them to a sink.

    Sections can be nested. The lines of a section wait until the outermost one has ended, and a section
    that is not kept leaves no lines, nor gaps in the numbers.
    """

    def __init__(self, sink: Callable[[str], object]) -> None:
        self._sink = sink
        self._written = 0
        self._waiting: list[str] = []
        self._sections: list[int] = []

    def begin(self) -> None:
        """Begin a section."""
        self._sections.append(len(self._waiting))

    def note(self, line: str) -> None:
        """Add a line; outside of all sections it is written at once."""
        self._waiting.append(line)
        if not self._sections:
            self._write()

    def end(self, keep: bool) -> int:
        """End the innermost section. Returns the number of lines that still wait."""
        start = self._sections.pop()
        if not keep:
            del self._waiting[start:]
        if not self._sections:
            self._write()
        return len(self._waiting)

    def _write(self) -> None:
        for line in self._waiting:
            self._written += 1
            self._sink(f"{self._written:04d} {line}")
        self._waiting.clear()
