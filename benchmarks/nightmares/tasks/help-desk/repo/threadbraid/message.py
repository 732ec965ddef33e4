"""One message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Message:
    """Something that somebody wrote. ``sent`` is None for a draft."""

    id: str
    author: str
    text: str
    sent: datetime | None = None
    reply_to: str | None = None

    @property
    def is_draft(self) -> bool:
        return self.sent is None


def moment(message: Message) -> tuple[bool, datetime]:
    """The key by which messages are ordered: by minute, drafts last."""
    if message.sent is None:
        return True, datetime.max
    return False, message.sent.replace(second=0, microsecond=0)
