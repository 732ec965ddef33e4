"""A model on a server: one client and one limiter for all who ask it, and attempts until one succeeds."""

import json
import os
import random
import time
from typing import Any, Protocol

from pydantic import ValidationError

from debug_gym.agents.models.base import Reply
from debug_gym.agents.models.client import openai
from debug_gym.agents.models.events import Events
from debug_gym.agents.models.failures import Failure, cut_short, explain, overflow, redacted, unreadable
from debug_gym.agents.models.limits import Limiter
from debug_gym.agents.models.listing import listed
from debug_gym.agents.models.notices import Notices
from debug_gym.agents.models.settings import OpenAISettings
from debug_gym.agents.models.tokens import CHARACTERS_PER_TOKEN, TokenCounts
from debug_gym.errors import ConfigError, ModelError

FIRST_WAIT = 0.5
"""Seconds before the second attempt; each further wait is twice as long."""
LONGEST_WAIT = 30.0
"""Seconds of the longest wait that the server did not ask for."""
DISPENSABLE = ("stream_options", "store", "include", "return_token_ids", "prompt_logprobs")
"""Fields that we send for good reason, and that some servers refuse by name."""

NEARLY = 0.9
"""A refused request of so much of the model's context is too long: our count of tokens is an estimate."""

Answer = tuple[Reply, TokenCounts | None]
"""A reply, and what the server counted: None if it did not."""


class CutShort(Exception):  # noqa: N818 - like StopIteration
    """The events of a stream ended before the reply did."""


class Api(Protocol):
    """How one of OpenAI's protocols is spoken."""

    path: str
    what: str
    """What an answer is called."""

    def read(self, answer: object) -> Answer:
        """Understand an answer.

        Raises:
            ValidationError: it is something else.
            Failure: the server reports an error in it.
        """
        ...

    def join(self, events: Events) -> Answer:
        """Put an answer together from the events of a stream.

        Raises:
            CutShort: the last event is missing.
            ValidationError: an event is something else.
            Failure: the server reports an error in one.
        """
        ...


class Endpoint:
    """One model on one server: its connections, and what it lets through at a time."""

    def __init__(self, model: str, settings: OpenAISettings, notices: Notices) -> None:
        """Connect to nothing yet.

        Raises:
            ModelError: no API key for OpenAI itself.
            ConfigError: Azure's dated API, and no address.
        """
        self._model, self._settings, self._notices = model, settings, notices
        self._client = _client(settings)
        self.url = str(self._client.base_url.copy_with(userinfo=b"")).rstrip("/")
        """For messages, which are stored: without a password."""
        self._limiter = Limiter(settings.limits)
        self._refused: set[str] = set()
        self._window: int | None = None
        """Tokens of the model's context, where the server says so."""

    @property
    def official(self) -> bool:
        """Whether this is OpenAI's own server, or Azure's."""
        return self._client.base_url.host.endswith((".openai.com", ".azure.com"))

    def check(self) -> None:
        """See whether the server is there and takes the key, and note the model's context window.

        Raises:
            ModelError: it is not, or does not.
        """
        try:
            found = listed(self._client)
        except openai.OpenAIError as error:
            failure = explain(error, self.url, self._model, self._settings.timeout)
            raise self._redacted(failure).as_error(1) from error
        self._window = next((item.window for item in found or () if item.id == self._model), None)

    def close(self) -> None:
        """Give back the connections."""
        self._client.close()

    def ask(self, api: Api, body: dict[str, Any]) -> Answer:
        """Send a request, again if need be, until there is an answer.

        Raises:
            ContextOverflowError: the request is too long.
            ModelError: the last attempt failed as well, or it makes no sense to try again.
        """
        if self._client.is_closed():
            raise ModelError(f"the model {self._model} is closed: make another one")
        estimate = len(json.dumps(body)) // CHARACTERS_PER_TOKEN + (self._settings.max_tokens or 0)
        attempt = 0
        while True:
            attempt += 1
            try:
                with self._limiter.turn(estimate) as ticket:
                    reply, counts = self._attempt(api, body)
                    ticket.tokens = counts.usage.tokens if counts else estimate
                    return reply, counts
            except Failure as failure:
                self._prepare_next(self._redacted(self._overflow(failure, estimate)), attempt)

    def _attempt(self, api: Api, body: dict[str, Any]) -> Answer:
        body = {name: value for name, value in body.items() if name not in self._refused}
        answer: object = None
        try:
            if body.get("stream"):
                return self._stream(api, body) or self._attempt(api, body)
            answer = self._client.post(api.path, body=body, cast_to=object)
            return api.read(answer)
        except openai.OpenAIError as error:
            if self._learn(error, body):
                return self._attempt(api, body)
            raise explain(error, self.url, self._model, self._settings.timeout) from error
        except CutShort as error:
            raise cut_short(self.url) from error
        except ValidationError as error:
            shown = error.errors(include_url=False)[0]["input"] if answer is None else answer
            raise unreadable(self.url, api.what, _text(shown)) from error
        except ValueError as error:  # neither JSON nor, perhaps, UTF-8
            shown = error.doc if isinstance(error, json.JSONDecodeError) else str(error)
            raise unreadable(self.url, api.what, shown) from error

    def _stream(self, api: Api, body: dict[str, Any]) -> Answer | None:
        """Ask for a stream; None: this server has none, and is not asked for one any more."""
        with self._client.post(api.path, body=body, cast_to=object, stream=True, stream_cls=Events) as events:
            if events.none_came:
                self._refused |= {"stream", "stream_options"}
                return None
            try:
                return api.join(events)
            except openai.APITimeoutError:
                raise
            except openai.APIConnectionError as error:
                raise CutShort from error

    def _overflow(self, failure: Failure, estimate: int) -> Failure:
        """What a failure means for a request of about so many tokens.

        A server may refuse one that is too long in words that nobody knows: then its size says so.
        """
        if self._window is None or not failure.refused or estimate < NEARLY * self._window:
            return failure
        return overflow(self._model, f"{failure.detail} (its context has {self._window} tokens)")

    def _redacted(self, failure: Failure) -> Failure:
        """Without the key, which some servers repeat in their answers."""
        failure.detail = redacted(failure.detail, self._client.api_key)
        return failure

    def _learn(self, error: openai.OpenAIError, body: dict[str, Any]) -> bool:
        """Whether the server refused a field that the request can do without; it is left out from now on."""
        if not isinstance(error, openai.APIStatusError) or error.status_code not in (400, 422):
            return False
        refused = {name for name in DISPENSABLE if name in body and name in error.message}
        self._refused |= refused
        return bool(refused)

    def _prepare_next(self, failure: Failure, attempt: int) -> None:
        """Wait until it makes sense to try again.

        Raises:
            ModelError: it makes none.
        """
        settings = self._settings
        if attempt > min(failure.retries, settings.retries):
            raise failure.as_error(attempt) from failure.__cause__
        wait = failure.after
        if wait is None:
            wait = min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_WAIT, settings.max_wait)
            wait *= random.uniform(0.75, 1.0)  # so that workers do not come back all at once
        elif wait > settings.max_wait:
            detail = f"{failure.detail}; it asks to wait {wait:.0f} s, which is more than max_wait"
            raise Failure(failure.sentence, detail).as_error(attempt) from failure.__cause__
        self._notices.tell(f"{failure.sentence}, trying again: {failure.detail}", about=failure.sentence)
        if failure.throttled:
            self._limiter.pause(wait)  # the next turn comes after it, for all who ask
        else:
            time.sleep(wait)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _client(settings: OpenAISettings) -> openai.OpenAI:
    url = settings.base_url or os.environ.get("OPENAI_BASE_URL") or None
    key = _api_key(settings, url)
    if key is None and url is None:
        raise ModelError("there is no API key: set OPENAI_API_KEY, or name your own server with base_url")
    return _make_client(url, key or "none", settings)


def _api_key(settings: OpenAISettings, url: str | None) -> str | None:
    if settings.api_key is not None:
        return settings.api_key.get_secret_value()
    azure = settings.api_version is not None or ".azure.com" in (url or "")
    names = ("AZURE_OPENAI_API_KEY", "OPENAI_API_KEY") if azure else ("OPENAI_API_KEY",)
    return next((key for name in names if (key := os.environ.get(name))), None)


def _make_client(url: str | None, key: str, settings: OpenAISettings) -> openai.OpenAI:
    if settings.api_version is None:
        return openai.OpenAI(base_url=url, api_key=key, timeout=settings.timeout, max_retries=0)
    if url is None:
        raise ConfigError("api_version is for Azure: give base_url, e.g. https://NAME.openai.azure.com")
    return openai.AzureOpenAI(
        azure_endpoint=url,
        api_version=settings.api_version,
        api_key=key,
        timeout=settings.timeout,
        max_retries=0,
    )
