"""Conversations: messages with the replies to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable, Iterator

from .message import Message


@dataclass
class Conversation:
    """A message and what was replied to it."""

    message: Message
    replies: list[Conversation] = field(default_factory=list)
    detached: bool = False
    """It is a reply, but nobody knows to what."""

    def __len__(self) -> int:
        return 1 + sum(len(reply) for reply in self.replies)

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Message]]:
        """Every message with its depth."""
        yield depth, self.message
        for reply in self.replies:
            yield from reply.walk(depth + 1)

    @property
    def authors(self) -> list[str]:
        """Who took part, in the order in which they joined."""
        return list(dict.fromkeys(message.author for _, message in self.walk()))


def converse(messages: Iterable[Message]) -> list[Conversation]:
    """Put a timeline together to conversations, in one pass."""
    roots: list[Conversation] = []
    nodes: dict[str, Conversation] = {}
    for message in messages:
        node = nodes[message.id] = Conversation(message)
        if message.reply_to is None:
            roots.append(node)
        elif message.reply_to in nodes:
            nodes[message.reply_to].replies.append(node)
        else:
            node.detached = True
            roots.append(node)
    return roots
