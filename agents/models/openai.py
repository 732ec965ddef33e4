"""Models behind OpenAI's protocols: OpenAI itself, Azure, and every server that speaks one of them."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from debug_gym.agents.models.base import Message, Model, Reply, Schema, ToolsRefusedError, Usage
from debug_gym.agents.models.chat import Chat
from debug_gym.agents.models.endpoint import Endpoint
from debug_gym.agents.models.fenced import FencedModel
from debug_gym.agents.models.notices import Notices
from debug_gym.agents.models.prices import find_prices
from debug_gym.agents.models.responses import Responses
from debug_gym.agents.models.settings import OpenAISettings
from debug_gym.agents.models.text_calls import with_text_calls
from debug_gym.agents.models.tokens import count_tokens
from debug_gym.agents.settings import configure

STARTED = (
    "Start the server with its parser for this model (vLLM: --enable-auto-tool-choice --tool-call-parser)"
)


class OpenAIModel(Model):
    """A model that is asked over HTTP.

    Attempts that fail are repeated with exponential backoff and jitter, or when the server's ``Retry-After``
    says. All who ask this model share its connections and its rate limits. Token counts come from the
    server; where it reports none they are estimated (``debug_gym.agents.models.tokens``).
    """

    Settings = OpenAISettings

    def __init__(self, name: str, **options: Any) -> None:
        """Take the model's name on the server and the options of ``OpenAISettings``. Connects to nothing.

        Raises:
            ConfigError: an option is unknown or wrong.
            ModelError: no API key for OpenAI itself.
        """
        self.name = name
        self.settings = settings = configure(OpenAISettings, options, "the openai model")
        self._notices = Notices()
        self._endpoint = Endpoint(name, settings, self._notices)
        self._api = (
            Responses(settings, model=name, url=self.url)
            if settings.api == "responses"
            else Chat(settings, official=self._endpoint.official)
        )
        self._takes_tools = True
        self._prices = find_prices(name, settings.prices)

    @property
    def url(self) -> str:
        """The server's address."""
        return self._endpoint.url

    def reply(self, messages: Sequence[Message], tools: Sequence[Schema], *, episode: str = "") -> Reply:
        """Ask the server; see ``Model.reply``.

        A server that takes no tools is told of them in the text from then on. Calls that it leaves in the
        text of its reply are found there.
        """
        if not tools or not self._takes_tools:
            return self._without_tools(messages, tools, episode)
        try:
            reply, form = with_text_calls(self._ask(messages, tools), messages, tools)
        except ToolsRefusedError as error:
            self._takes_tools = False
            self._notices.tell(
                f"{error}; so tools are described in the text, as with -o protocol=json. {STARTED}"
            )
            return self._without_tools(messages, tools, episode)
        if form:
            self._notices.tell(f"{self.url} leaves tool calls in the text ({form}); they are read. {STARTED}")
        return reply

    def _without_tools(self, messages: Sequence[Message], tools: Sequence[Schema], episode: str) -> Reply:
        if not tools:
            return self._ask(messages, ())
        return FencedModel(self, "json").reply(messages, tools, episode=episode)

    def _ask(self, messages: Sequence[Message], tools: Sequence[Schema]) -> Reply:
        began = time.monotonic()
        body = self._api.request(self.name, messages, tools) | self.settings.extra
        body = {name: value for name, value in body.items() if value is not None}
        reply, counts = self._endpoint.ask(self._api, body)
        usage = counts.usage if counts else self._estimated(messages, tools, reply)
        if self.settings.logprobs is None:
            reply = replace(reply, tokens=None)  # some servers give what nobody asked for
        if self._prices is None:
            self._notices.tell(
                f"no price is known for the model {self.name}, so costs are not reported; "
                "-o prices=... gives it"
            )
        else:
            usage = replace(usage, dollars=self._prices.dollars(usage))
        return replace(reply, usage=replace(usage, seconds=time.monotonic() - began))

    def check(self) -> None:
        """Ask the server for the list of its models; see ``Model.check``."""
        self._endpoint.check()

    def close(self) -> None:
        """Give back the connections to the server."""
        self._endpoint.close()

    def _estimated(self, messages: Sequence[Message], tools: Sequence[Schema], reply: Reply) -> Usage:
        asked = json.dumps([*messages, *tools], ensure_ascii=False)
        said = "".join([reply.reasoning, reply.text, *(call.arguments for call in reply.tool_calls)])
        return Usage(count_tokens(asked, self.name), count_tokens(said, self.name), estimates=1)
