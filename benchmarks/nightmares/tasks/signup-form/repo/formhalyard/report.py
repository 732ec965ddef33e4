"""What is wrong with a submission, collected by path."""

from __future__ import annotations

from typing import Iterator


class Report:
    """Messages by the path of the field that they belong to.

    Args:
        prefix: put before the path of every message.
        messages: where messages are kept; reports on parts of one submission share it.
    """

    def __init__(self, prefix: str = "", messages: dict[str, list[str]] = {}) -> None:
        self._prefix = prefix
        self._messages = messages

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Each message with its path, in the order in which the paths first had one."""
        for path, messages in self._messages.items():
            for message in messages:
                yield path, message

    @property
    def messages(self) -> dict[str, list[str]]:
        """All messages by path; a copy."""
        return {path: list(messages) for path, messages in self._messages.items()}

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return not self._messages

    def add(self, path: str, message: str) -> None:
        """Note a message about a field, once."""
        messages = self._messages.setdefault(self._prefix + path, [])
        if message not in messages:
            messages.append(message)

    def nested(self, prefix: str) -> Report:
        """A view of this report below a prefix."""
        return Report(f"{self._prefix}{prefix}.", self._messages)
