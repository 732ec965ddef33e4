"""The options of models that are asked over HTTP."""

import json
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from debug_gym.agents.models.limits import RateLimits
from debug_gym.agents.models.logprobs import Wanted
from debug_gym.agents.models.prices import PriceTable, read_prices
from debug_gym.task import Frozen


def _from_json(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


class OpenAISettings(Frozen):
    """The options of ``OpenAIModel``."""

    base_url: str | None = None
    """Where the server is, usually ending in ``/v1``. None: ``OPENAI_BASE_URL``, else OpenAI."""
    api_key: SecretStr | None = None
    """None: ``OPENAI_API_KEY``, and ``AZURE_OPENAI_API_KEY`` for Azure. A server given by ``base_url`` needs
    none."""
    api_version: str | None = None
    """For Azure's dated API, e.g. ``2024-10-21``: ``base_url`` is then the resource's address and the model's
    name that of the deployment. None: everything else, Azure's ``/openai/v1`` included."""
    api: Literal["chat", "responses"] = "chat"
    """Chat Completions, which every server has, or OpenAI's Responses."""
    stream: bool = False
    """Let the server send its reply in parts; ``timeout`` then counts from one part to the next."""
    temperature: float | None = Field(default=None, ge=0)
    """None: the server's default."""
    max_tokens: int | None = Field(default=None, gt=0)
    """Tokens that one reply may have. None: the server's default."""
    logprobs: Wanted = None
    """What of the tokens to keep for reinforcement learning (``debug_gym.episode.TokenData``), as far as the
    server gives it; None: nothing. ``completion``: the ids of prompt and reply, and the log-probabilities of
    the reply. ``all``: those of the prompt too, which costs the server its prefix cache."""
    timeout: float = Field(default=120.0, gt=0)
    """Seconds that one attempt may wait for the server."""
    retries: int = Field(default=5, ge=0)
    """Further attempts after a failed connection, a timeout, a stream that was cut, or status 408, 409, 429
    or 5xx. An answer that cannot be read is asked for again twice at most."""
    max_wait: float = Field(default=120.0, gt=0)
    """Seconds that one pause between attempts may take. A server whose ``Retry-After`` asks for more is given
    up on."""
    requests_per_minute: int | None = Field(default=None, gt=0)
    """Requests that all workers of a run together may begin in a minute. None: no limit."""
    tokens_per_minute: int | None = Field(default=None, gt=0)
    """Tokens, read and written, that all workers together may use in a minute. None: no limit."""
    max_concurrent: int | None = Field(default=None, gt=0)
    """Requests of all workers together that may be under way at a time. None: no limit."""
    prices: Annotated[PriceTable, BeforeValidator(read_prices)] = Field(default_factory=dict)
    """Dollars for a million tokens, before those that debug-gym knows: ``{"input": 2, "output": 8, "cached":
    0.5}`` for this model, a mapping of model names to such, or a YAML or JSON file with either."""
    extra: Annotated[dict[str, Any], BeforeValidator(_from_json)] = Field(default_factory=dict)
    """Further fields of the request, as a mapping or its JSON: ``{"reasoning_effort": "low"}``. A null takes
    a field out."""

    @field_validator("base_url")
    @classmethod
    def _web_address(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("http://", "https://")):
            raise ValueError(f"{url!r} must begin with http:// or https://")
        return url

    @model_validator(mode="after")
    def _has_logprobs(self) -> Self:
        if self.logprobs is not None and self.api != "chat":
            raise ValueError("logprobs need api=chat: the other protocol has none")
        if self.logprobs == "all" and self.stream:
            raise ValueError("logprobs=all needs stream=false: a stream holds none of the prompt")
        return self

    @property
    def limits(self) -> RateLimits:
        """What all workers share."""
        return RateLimits(self.requests_per_minute, self.tokens_per_minute, self.max_concurrent)
