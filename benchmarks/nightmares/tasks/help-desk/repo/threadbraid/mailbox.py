"""Exports of mailboxes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .message import Message, moment


class MailboxError(ValueError):
    """An export cannot be read."""


@dataclass(frozen=True)
class Mailbox:
    """The messages of one mailbox, ordered by moment."""

    name: str
    messages: tuple[Message, ...]

    def __len__(self) -> int:
        return len(self.messages)


def load(name: str, text: str) -> Mailbox:
    """Read an export.

    Raises:
        MailboxError: with the mailbox's name and the number of the line.
    """
    messages = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            messages.append(_message(json.loads(line)))
        except (KeyError, TypeError, ValueError) as error:
            raise MailboxError(f"{name}, line {number}: {error}") from error
    messages.sort(key=moment)
    return Mailbox(name, tuple(messages))


def _message(raw: dict[str, Any]) -> Message:
    sent = raw.get("sent")
    return Message(
        id=str(raw["id"]),
        author=raw["author"],
        text=raw["text"],
        sent=datetime.fromisoformat(sent) if sent else None,
        reply_to=str(raw["reply_to"]) if raw.get("reply_to") is not None else None,
    )
