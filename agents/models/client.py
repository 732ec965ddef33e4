"""The ``openai`` package, which the extra ``llm`` brings."""

from debug_gym.errors import MissingExtraError

try:
    import openai
except ModuleNotFoundError as error:
    raise MissingExtraError(error.name or "openai", "llm") from None

__all__ = ["openai"]
