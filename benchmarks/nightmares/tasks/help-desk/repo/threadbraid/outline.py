"""Conversations as text."""

from __future__ import annotations

from typing import Iterable

from .conversations import Conversation


def outline(conversations: Iterable[Conversation], width: int = 40) -> str:
    """One line a message, replies further to the right."""
    lines = []
    for conversation in conversations:
        for depth, message in conversation.walk():
            mark = "~" if conversation.detached and not depth else "-"
            when = "draft" if message.sent is None else f"{message.sent:%d.%m. %H:%M}"
            text = message.text if len(message.text) <= width else message.text[: width - 1] + "…"
            lines.append(f"{'  ' * depth}{mark} {when} {message.author}: {text}")
    return "\n".join(lines)
