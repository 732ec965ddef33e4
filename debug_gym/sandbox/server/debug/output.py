"""What the debugger says, collected for the next answer."""

from __future__ import annotations

import io
from typing import Any

from ..output import BoundedOutput
from .rendering import cut


class Output(io.TextIOBase):
    """Collects, within bounds, what is said."""

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

    def message(self, text: Any, end: str = "\n") -> None:
        """Say something, within bounds."""
        self.write(cut(str(text)) + end)

    def error(self, text: Any) -> None:
        """Say that something is wrong, as pdb does."""
        self.message("*** %s" % text)
