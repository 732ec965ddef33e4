"""The timeline: the messages of several mailboxes in one order."""

from __future__ import annotations

from datetime import datetime
from typing import Iterable, Iterator

from .mailbox import Mailbox
from .merge import merge_all
from .message import Message, moment


class Timeline:
    """All messages of some mailboxes. One that several mailboxes have is there once, at its first place."""

    def __init__(self, mailboxes: Iterable[Mailbox]) -> None:
        self._messages: list[Message] = []
        self._by_id: dict[str, Message] = {}
        for message in merge_all([mailbox.messages for mailbox in mailboxes], moment):
            if message.id not in self._by_id:
                self._by_id[message.id] = message
                self._messages.append(message)

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[Message]:
        return iter(self._messages)

    def ids(self) -> list[str]:
        return [message.id for message in self._messages]

    def drafts(self) -> list[Message]:
        """What has not been sent."""
        return [message for message in self._messages if message.is_draft]

    def between(self, start: datetime, stop: datetime) -> list[Message]:
        """What was sent from one moment up to, not including, another."""
        return [
            message
            for message in self._messages
            if message.sent is not None and start <= message.sent < stop
        ]

    def latest(self, count: int) -> list[Message]:
        """The last messages that were sent, the newest first."""
        sent = [message for message in self._messages if not message.is_draft]
        return sent[::-1][:count]
