"""Language models behind one small interface."""

from debug_gym.agents.models.base import (
    ContextOverflowError,
    Message,
    Model,
    Reply,
    Request,
    Schema,
    Usage,
)
from debug_gym.episode import RequestedCall

__all__ = ["ContextOverflowError", "Message", "Model", "Reply", "Request", "RequestedCall", "Schema", "Usage"]
