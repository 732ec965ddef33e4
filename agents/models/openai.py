"""Models behind OpenAI's chat completions: OpenAI itself, and every server that speaks its protocol."""

import json
import os
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import openai
from pydantic import BeforeValidator, Field, SecretStr, ValidationError

from debug_gym.agents.models.base import ContextOverflowError, Message, Reply, RequestedCall, Schema, Usage
from debug_gym.agents.models.tokens import count_tokens
from debug_gym.agents.models.wire import Completion, TokenCounts
from debug_gym.agents.settings import configure
from debug_gym.errors import ModelError
from debug_gym.task import Frozen

TOO_LONG = re.compile(
    r"context[ _]?(length|size|window)|prompt is too long|tokens?\b.{0,60}\bexceeds?\b|reduce the length",
    re.IGNORECASE,
)
"""How servers say that a conversation is too long: OpenAI, vLLM, SGLang, llama.cpp and others."""
SHOWN = 500
"""Characters of a server's answer that an error message quotes."""


def _from_json(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


class Prices(Frozen):
    """Dollars for a million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached: float | None = Field(default=None, ge=0)
    """Input tokens from the server's prompt cache; None: as ``input``."""


class OpenAISettings(Frozen):
    """The options of ``OpenAIModel``."""

    base_url: str | None = None
    """Where the server is, usually ending in ``/v1``. None: ``OPENAI_BASE_URL``, else OpenAI."""
    api_key: SecretStr | None = None
    """None: ``OPENAI_API_KEY``. A server given by ``base_url`` needs none."""
    temperature: float | None = Field(default=None, ge=0)
    """None: the server's default."""
    max_tokens: int | None = Field(default=None, gt=0)
    """Tokens that one reply may have. None: the server's default."""
    timeout: float = Field(default=120.0, gt=0)
    """Seconds that one attempt may wait for the server."""
    retries: int = Field(default=5, ge=0)
    """Further attempts after a failed connection, a timeout, or status 408, 409, 429 or 5xx."""
    prices: Annotated[Prices | None, BeforeValidator(_from_json)] = None
    """Dollars for a million tokens, as a mapping or its JSON: ``{"input": 2, "output": 8, "cached": 0.5}``.
    None: costs are not reported."""
    extra: Annotated[dict[str, Any], BeforeValidator(_from_json)] = Field(default_factory=dict)
    """Further fields of the request, as a mapping or its JSON: ``{"reasoning_effort": "low"}``."""


class OpenAIModel:
    """A model that is asked over HTTP.

    The ``openai`` package retries with exponential backoff and jitter, and waits as long as the server's
    ``Retry-After`` says if that is two minutes at most. Token counts come from the server; where it reports
    none they are estimated (``debug_gym.agents.models.tokens``).
    """

    Settings = OpenAISettings

    def __init__(self, name: str, **options: Any) -> None:
        """Take the model's name on the server and the options of ``OpenAISettings``. Connects to nothing.

        Raises:
            ConfigError: an option is unknown or wrong.
            ModelError: no API key for OpenAI itself.
        """
        self.name = name
        self.settings = configure(OpenAISettings, options, "the openai model")
        base_url = self.settings.base_url or os.environ.get("OPENAI_BASE_URL") or None
        given = self.settings.api_key
        api_key = given.get_secret_value() if given else os.environ.get("OPENAI_API_KEY")
        if not api_key and base_url is None:
            raise ModelError("there is no API key: set OPENAI_API_KEY, or name your own server with base_url")
        self._client = openai.OpenAI(
            base_url=base_url,
            api_key=api_key or "none",
            timeout=self.settings.timeout,
            max_retries=self.settings.retries,
        )

    @property
    def url(self) -> str:
        """The server's address."""
        return str(self._client.base_url).rstrip("/")

    def reply(self, messages: Sequence[Message], tools: Sequence[Schema]) -> Reply:
        """Ask the server; see ``Model.reply``."""
        began = time.monotonic()
        try:
            raw = self._client.chat.completions.with_raw_response.create(**self._request(messages, tools))
        except openai.OpenAIError as error:
            raise self._explain(error) from error
        body = raw.http_response.content
        try:
            completion = Completion.model_validate_json(body)
        except ValidationError:
            shown = body[:SHOWN].decode(errors="replace")
            raise ModelError(
                f"{self.url} answered something that is not a chat completion; check base_url: {shown}"
            ) from None
        choice = completion.choices[0]
        message = choice.message
        reply = Reply(
            text=message.content or "",
            tool_calls=tuple(
                RequestedCall(call.function.name, call.function.arguments, call.id or "")
                for call in message.tool_calls or ()
            ),
            finish_reason=choice.finish_reason or "",
            reasoning=message.reasoning_content or message.reasoning or "",
        )
        usage = self._priced(self._counted(completion.usage, messages, tools, reply))
        return replace(reply, usage=replace(usage, seconds=time.monotonic() - began))

    def _request(self, messages: Sequence[Message], tools: Sequence[Schema]) -> dict[str, Any]:
        request: dict[str, Any] = {"model": self.name, "messages": list(messages)}
        if tools:
            request["tools"] = list(tools)
        if self.settings.temperature is not None:
            request["temperature"] = self.settings.temperature
        if self.settings.max_tokens is not None:
            # OpenAI's newer models refuse the old name, many other servers do not know the new one.
            own = self._client.base_url.host.endswith(("openai.com", "openai.azure.com"))
            request["max_completion_tokens" if own else "max_tokens"] = self.settings.max_tokens
        if self.settings.extra:
            request["extra_body"] = self.settings.extra
        return request

    def _counted(
        self, counts: TokenCounts | None, messages: Sequence[Message], tools: Sequence[Schema], reply: Reply
    ) -> Usage:
        """The server's token counts, or an estimate."""
        if counts is None:
            asked = json.dumps([*messages, *tools], ensure_ascii=False)
            said = "".join([reply.reasoning, reply.text, *(call.arguments for call in reply.tool_calls)])
            return Usage(count_tokens(asked, self.name), count_tokens(said, self.name), estimates=1)
        details = counts.prompt_tokens_details
        cached = (details.cached_tokens or 0) if details else 0
        return Usage(counts.prompt_tokens, counts.completion_tokens, cached)

    def _priced(self, usage: Usage) -> Usage:
        prices = self.settings.prices
        if prices is None:
            return usage
        cached = prices.input if prices.cached is None else prices.cached
        fresh = usage.input_tokens - usage.cached_tokens
        micro = fresh * prices.input + usage.cached_tokens * cached + usage.output_tokens * prices.output
        return replace(usage, dollars=micro / 1e6)

    def _explain(self, error: openai.OpenAIError) -> ModelError:
        """The package's exception as one sentence that says what to do."""
        tried = f"{self.settings.retries + 1} attempt(s)"
        if isinstance(error, openai.APITimeoutError):
            return ModelError(
                f"{self.url} did not answer within {self.settings.timeout:g} s in {tried}: raise timeout, "
                "or see what the server is doing"
            )
        if isinstance(error, openai.APIConnectionError):
            cause = f" ({error.__cause__})" if error.__cause__ else ""
            return ModelError(f"cannot reach {self.url}{cause}: start the server, or correct base_url")
        if not isinstance(error, openai.APIStatusError):
            return ModelError(f"{self.url}: {error}")
        said = error.message[:SHOWN]
        if error.status_code in (400, 413, 422) and (
            error.code == "context_length_exceeded" or TOO_LONG.search(error.message)
        ):
            return ContextOverflowError(f"the conversation is too long for {self.name}: {said}")
        advice = {
            401: "set OPENAI_API_KEY or api_key to a valid key",
            403: "the API key has no right to use this model",
            404: f"does the model {self.name!r} exist there, and does base_url end in /v1?",
            429: f"still so after {tried}; use fewer workers, or check the account's quota",
        }.get(error.status_code, f"gave up after {tried}" if error.status_code >= 500 else "")
        return ModelError(f"{self.url} refused: {said}" + (f" ({advice})" if advice else ""))
