"""Token counts for servers that report none."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tiktoken

CHARACTERS_PER_TOKEN = 4
"""OpenAI's rule of thumb for English text."""


def count_tokens(text: str, model: str) -> int:
    """About how many tokens a text has.

    By the model's own encoding if tiktoken knows the model, else by ``o200k_base``. tiktoken downloads an
    encoding once; where that fails (no network, nothing in its cache), four characters count as one token.
    """
    encoding = _encoding(model)
    if encoding is None:
        return -(-len(text) // CHARACTERS_PER_TOKEN)
    return len(encoding.encode(text, disallowed_special=()))


@cache
def _encoding(model: str) -> "tiktoken.Encoding | None":
    import tiktoken

    try:
        name = tiktoken.encoding_name_for_model(model)
    except KeyError:
        name = "o200k_base"
    try:
        return tiktoken.get_encoding(name)
    except OSError:
        return None
