"""Token counts: the server's, or our own estimates."""

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AliasChoices,
    BaseModel,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from debug_gym.agents.models.base import Usage

if TYPE_CHECKING:
    import tiktoken

CHARACTERS_PER_TOKEN = 4
"""OpenAI's rule of thumb for English text."""


def or_none(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """For fields beside the reply: what does not fit counts as missing, and refuses no good reply."""
    try:
        return validate(value)
    except ValidationError:
        return None


class Cached(BaseModel):
    """Where the input tokens came from."""

    cached_tokens: int | None = None


class TokenCounts(BaseModel):
    """What a server counted, in the words of chat completions or of responses."""

    input_tokens: int = Field(validation_alias=AliasChoices("prompt_tokens", "input_tokens"))
    output_tokens: int = Field(validation_alias=AliasChoices("completion_tokens", "output_tokens"))
    details: Cached | None = Field(
        default=None, validation_alias=AliasChoices("prompt_tokens_details", "input_tokens_details")
    )

    @property
    def usage(self) -> Usage:
        """The counts, with no costs."""
        cached = (self.details.cached_tokens or 0) if self.details else 0
        return Usage(self.input_tokens, self.output_tokens, cached)


Counts = Annotated[TokenCounts | None, WrapValidator(or_none)]
"""What a server counted; None where it did not, or gives no whole numbers."""


def count_tokens(text: str, model: str) -> int:
    """About how many tokens a text has.

    By the model's own encoding if tiktoken knows the model, else by ``o200k_base``. tiktoken (extra ``llm``)
    downloads an encoding once; where that fails (no network, nothing in its cache), or it is not installed,
    four characters count as one token.
    """
    encoding = _encoding(model)
    if encoding is None:
        return -(-len(text) // CHARACTERS_PER_TOKEN)
    return len(encoding.encode(text, disallowed_special=()))


@cache
def _encoding(model: str) -> "tiktoken.Encoding | None":
    try:
        import tiktoken
    except ModuleNotFoundError:
        return None
    try:
        name = tiktoken.encoding_name_for_model(model)
    except KeyError:
        name = "o200k_base"
    try:
        return tiktoken.get_encoding(name)
    except OSError:
        return None
