"""What can go wrong when a server is asked: what it means, what to do about it, and whether to try again."""

import base64
import email.utils
import itertools
import math
import re
import time
from collections.abc import Mapping
from datetime import UTC

from debug_gym.agents.models.base import ContextOverflowError, ToolsRefusedError
from debug_gym.agents.models.client import openai
from debug_gym.errors import ModelError, ModelUnavailableError

TOO_LONG = re.compile(
    r"""
      context[ _]?(length|size|window)      # OpenAI, Mistral, DeepSeek, llama.cpp, LM Studio
    | reduce\ the\ length                   # OpenAI
    | (messages|input)\S*\ string\ too\ long    # OpenAI, Azure: one message of a million characters
    | \b(prompt|input|conversation|messages?|sequence)(\ tokens)?\ (is\ |are\ )?too\ long  # Anthropic
    | request\ (entity\ )?too\ large         # Anthropic, Groq, proxies
    | (?<!max_)(?<!new_)(?<!completion_)(?<!stop\ )tokens?\b.{0,60}\b(cannot\ )?exceeds?\b   # Gemini, Cohere
    | longer\ than\ the\ (maximum\ )?model\ length|too\ long\ to\ fit\ into\ the\ model   # vLLM
    | max_(completion_)?tokens\ must\ be\ at\ least\ 1,\ got\ -                       # vLLM: what is left
    | maximum\ prompt\ length               # xAI
    | expected\ maxLength:\ \d+,\ actual      # Bedrock
    | range\ of\ input\ length              # DashScope
    | context\ limit|too\ many\ total\ text\ bytes                                     # Anthropic
    | exceeded\ model\ token\ limit        # Moonshot
    | (?<!stop\ )\b(prompt|input)s?\b[^.]{0,40}\b(exceed(s|ed)?|(larger|greater|longer)\ than)\b
      [^.]{0,40}\b(length|limit)\b         # Zhipu, TensorRT-LLM, MLC
    | \bexceed(s|ed)?\b[^.]{0,40}\binput\ length|too\ many\ (input\ )?tokens\ in
    | payload\ too\ large|string\ above\ max\ length
    | (?<!tokens\ )\b(exceed(s|ed)?|(greater|larger|longer)\ than)\b[^.]{0,30}
      \bmax_(seq|input|model|prompt|num)_(len\w*|tokens)              # TensorRT-LLM, ExLlama
    | (?<!tokens\ )\bexceed(s|ed)?\b[^.]{0,30}\btoken\ limit|\btoken\ limit\ exceeded
    | \binput\ tokens\b[^.]{0,30}\b(larger|greater|more)\ than
    | \bsequence\ length\b[^.]{0,30}\b(longer|greater|larger)\ than    # local servers
    | \btotal\ (number\ of\ tokens|length)\b[^.]{0,40}\b(must\ be\ (<|less)|greater\ than|larger\ than)
    | INPUT_LENGTH_ERROR|tokens_limit_reached     # LMDeploy, GitHub
    | prompts\ up\ to\ \d+\ tokens|\bprompt\ has\ too\ many\ tokens    # AI21
    | more\ tokens\ than\ the\ model|supports\ at\ most\ \d+\ tokens
    | max\ input\ (characters|tokens)           # Baidu
    | (输入|Prompt)\s?(长度|内容)?.{0,8}(超过|超出|过长|超长)              # Zhipu, Baidu
    | inputs?`?[ _]tokens`?\ \+\ `?max_new_tokens|`?inputs`?\ must\ have\ less\ than     # TGI
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""How servers say that a conversation is too long."""
TOO_LARGE = 413
"""The status that says the same."""
NO_OVERFLOW = (401, 403, 404, 429)
"""Statuses that say something else, whatever the words: limits of tokens in a minute, for instance."""
TELLING = 6
"""Characters of a key in a row that give something of it away."""
NO_TOOLS = re.compile(
    r"""
      (does(n't|\ not)|do\ not|cannot|can't)\ (support|use|accept|have)\ (?!parallel|strict)[^.]{0,20}
      (\btools?\b|function[ _-]?call)
    | tool\ choice\ requires|enable-auto-tool-choice
    | tools?\ param\ requires\ --jinja
    | (\btools?|function[ _-]call(ing|s)?)([ _-](use|call(ing|s)?|choice))?[`'"]?\ (is\ |are\ )?
      not\ (supported|enabled|available|allowed)
    | support\ tool\ use                       # OpenRouter: no endpoints found that ...
    | not\ support(ed)?\ (for|with|in)\ (tools?|function)\b
    | (unknown|unrecognized|unsupported|unexpected)\b[^.]{0,40}\btools\b(?![\[.])
    | extra\ inputs\ are\ not\ permitted[^.]{0,20}\btools\b(?![\[.])|\btools['"]\W[^.]{0,60}extra\ inputs
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""How servers say that they take no tools: Ollama, vLLM, llama.cpp, gateways, strict schemas."""
SHOWN = 500
"""Characters of a server's answer that an error message quotes."""
OFTEN = math.inf
"""As many further attempts as the settings allow."""
FEW = 2
"""Further attempts after an answer that cannot be read: another one seldom helps, the address is wrong."""
ADVICE = {
    401: "set OPENAI_API_KEY or api_key to a valid key",
    403: "the API key has no right to use this model",
    429: "use fewer workers or set requests_per_minute, or check the account's quota",
}


class Failure(Exception):  # noqa: N818 - one attempt's, of which the caller of the model hears only the last
    """One attempt failed."""

    def __init__(
        self,
        sentence: str,
        detail: str,
        *,
        retries: float = 0,
        throttled: bool = False,
        after: float | None = None,
        refused: bool = False,
        kind: type[ModelError] = ModelError,
    ) -> None:
        super().__init__(sentence, detail)
        self.sentence, self.detail = sentence, detail
        self.retries = retries
        """Further attempts that make sense."""
        self.throttled = throttled
        """The server has too much to do: other requests would fail as well."""
        self.after = after
        """Seconds that the server wants us to wait."""
        self.refused = refused
        """The server did not like the request itself."""
        self.kind = kind

    def as_error(self, attempts: int) -> ModelError:
        """What the caller is told when this was the last attempt."""
        tried = f" ({attempts} attempts)" if attempts > 1 else ""
        kind = ModelUnavailableError if self.kind is ModelError and self.retries == OFTEN else self.kind
        return kind(f"{self.sentence}{tried}: {self.detail}")


def unreadable(url: str, what: str, body: str) -> Failure:
    """The server answered, but not with what was asked for."""
    return Failure(f"{url} answered something that is not {what}; check base_url", body[:SHOWN], retries=FEW)


def cut_short(url: str) -> Failure:
    """A stream ended before the reply did."""
    return Failure(f"{url} broke off its reply", "see what the server is doing", retries=OFTEN)


def reported(url: str, model: str, code: str | None, message: str) -> Failure:
    """The server reported an error inside of an answer that began well."""
    throttled = code == "rate_limit_exceeded"
    if not throttled and (code == "context_length_exceeded" or TOO_LONG.search(message)):
        return overflow(model, message)
    return Failure(f"{url} failed", message[:SHOWN], retries=OFTEN, throttled=throttled)


def explain(error: openai.OpenAIError, url: str, model: str, timeout: float) -> Failure:
    """What an exception of the ``openai`` package means."""
    if isinstance(error, openai.APITimeoutError):
        sentence = f"{url} did not answer within {timeout:g} s"
        return Failure(sentence, "raise timeout, or see what the server is doing", retries=OFTEN)
    if isinstance(error, openai.APIConnectionError):
        cause = f" ({error.__cause__})" if error.__cause__ else ""
        sentence = f"cannot reach {url}{cause}"
        return Failure(sentence, "start the server, or correct base_url", retries=OFTEN)
    if isinstance(error, openai.APIStatusError):
        return _status(error, url, model)
    code = error.code if isinstance(error, openai.APIError) else None
    return reported(url, model, code, str(error))


def _status(error: openai.APIStatusError, url: str, model: str) -> Failure:
    status = error.status_code
    too_long = error.code == "context_length_exceeded" or TOO_LONG.search(error.message)
    if status == TOO_LARGE or (too_long and status not in NO_OVERFLOW):
        return overflow(model, error.message)
    if status in (400, 404, 422, 500, 501) and NO_TOOLS.search(error.message):
        return Failure(f"{url} takes no tools", error.message[:SHOWN], kind=ToolsRefusedError)
    advice = ADVICE.get(status, "")
    if status == 404:
        advice = f"does the model {model!r} exist there, and does base_url end in /v1?"
    headers = error.response.headers
    again = status in (408, 409, 429) or status >= 500
    if error.code == "insufficient_quota" or headers.get("x-should-retry") == "false":
        again = False
    return Failure(
        f"{url} refused",
        error.message[:SHOWN] + (f" ({advice})" if advice else ""),
        retries=OFTEN if again else 0,
        throttled=status in (429, 503, 529),  # 529: Anthropic's word for too much to do
        after=retry_after(headers),
        refused=status in (400, 422),
    )


def overflow(model: str, message: str) -> Failure:
    """The request is longer than the model can read."""
    sentence = f"the conversation is too long for {model}"
    return Failure(sentence, message[:SHOWN], kind=ContextOverflowError)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a response asks to wait: ``retry-after-ms``, or ``Retry-After`` in seconds or as a date
    (RFC 9110, section 10.2.3). None where it does not say, or says nonsense."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit
        except ValueError:
            continue
        return seconds if math.isfinite(seconds) and seconds >= 0 else None
    try:
        date = email.utils.parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, date.timestamp() - time.time())


def redacted(text: str, secret: str) -> str:
    """A text in which nothing of a secret is left, as it is or in base64: each stretch of ``TELLING`` or more
    of its characters becomes an ellipsis."""
    marked = [False] * len(text)
    for form in (secret, base64.b64encode(secret.encode()).decode()):
        for start in range(len(form) - TELLING + 1):
            place = -1
            while (place := text.find(form[start : start + TELLING], place + 1)) >= 0:
                marked[place : place + TELLING] = [True] * TELLING
    kept = (
        "\N{HORIZONTAL ELLIPSIS}" if hidden else "".join(text[place] for place in run)
        for hidden, run in itertools.groupby(range(len(text)), key=marked.__getitem__)
    )
    return "".join(kept)
