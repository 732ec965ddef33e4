"""Where files go."""

from typing import Dict, Iterable, List


class ConnectionLost(OSError):
    """The other side went away in the middle of a file."""


class Destination:
    """A shop's inbox. ``drop_after`` makes it lose the connection, for rehearsals."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.files: Dict[str, List[str]] = {}
        self._failures: List[int] = []

    def drop_after(self, *lines: int) -> None:
        """Lose the next connections, each after that many lines."""
        self._failures.extend(lines)

    def receive(self, name: str, lines: Iterable[str]) -> int:
        """Store a file; returns the number of its lines."""
        budget = self._failures.pop(0) if self._failures else None
        content: List[str] = []
        for line in lines:
            if budget is not None and len(content) >= budget:
                raise ConnectionLost(f"{self.name} went away after {budget} lines")
            content.append(line)
        self.files[name] = content
        return len(content)
