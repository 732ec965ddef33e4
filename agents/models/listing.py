"""What a server says of the models that it has: ``GET /models``."""

from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, Field, TypeAdapter, ValidationError, WrapValidator

from debug_gym.agents.models.client import openai
from debug_gym.agents.models.tokens import or_none

PATIENCE = 10.0
"""Seconds that a server may take to list its models."""


class Listed(BaseModel):
    """One model of a server."""

    id: str
    window: Annotated[int | None, WrapValidator(or_none)] = Field(
        default=None,
        validation_alias=AliasChoices(
            "max_model_len",  # vLLM, SGLang
            "context_length",  # OpenRouter, Together
            "context_window",  # Groq
            "max_context_length",  # Mistral, LM Studio
        ),
    )
    """Tokens that a conversation and the reply to it may have together; None: it does not say."""


_LISTED = TypeAdapter(list[Listed])


def listed(client: openai.OpenAI) -> list[Listed] | None:
    """The models of a server; None if it has no such list.

    Raises:
        openai.OpenAIError: it refuses the key, or cannot be reached.
    """
    try:
        answer: Any = client.get("/models", cast_to=object, options={"timeout": PATIENCE})
        return _LISTED.validate_python(answer["data"])
    except (openai.AuthenticationError, openai.APIConnectionError) as error:
        if isinstance(error, openai.APITimeoutError) or "scope" in str(error):
            return None  # it is busy; or this key may not ask for the list, as some may not
        raise
    except (openai.OpenAIError, ValidationError, ValueError, KeyError, TypeError):
        return None
