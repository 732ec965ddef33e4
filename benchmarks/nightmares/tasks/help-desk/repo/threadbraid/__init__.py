"""Merges the mailboxes of a help desk into one timeline, and shows it as conversations."""

from .conversations import Conversation, converse
from .mailbox import Mailbox, MailboxError, load
from .message import Message
from .merge import merge, merge_all
from .outline import outline
from .timeline import Timeline

__all__ = [
    "Conversation",
    "Mailbox",
    "MailboxError",
    "Message",
    "Timeline",
    "converse",
    "load",
    "merge",
    "merge_all",
    "outline",
]
