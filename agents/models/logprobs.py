"""Token ids and log-probabilities in an answer: OpenAI's fields, and those of vLLM, SGLang and llama.cpp.

OpenAI gives the log-probabilities of what the model wrote, and no ids. vLLM gives ids where it is asked for
them by ``return_token_ids``, and the prompt's log-probabilities by ``prompt_logprobs``; llama.cpp puts ids
beside the log-probabilities.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, WrapValidator

from debug_gym.agents.models.tokens import or_none
from debug_gym.episode import TokenData

Wanted = Literal["completion", "all"] | None
LEAST = -9999.0
"""Stands for a log-probability that is minus infinity, which JSON has no word for; vLLM's choice as well."""
_AS_ID = re.compile(r"token_id:(\d+)")
"""A token that stands for its id, as vLLM writes it with ``return_tokens_as_token_ids``."""


class Token(BaseModel):
    """One token that the model wrote."""

    token: str = ""
    logprob: float
    id: int | None = None

    @property
    def key(self) -> int | None:
        """Its id, if the server gives it."""
        written = _AS_ID.fullmatch(self.token)
        return int(written[1]) if written else self.id


class Logprobs(BaseModel):
    """The tokens that the model wrote, or some of them."""

    content: list[Token] | None = None


class PromptToken(BaseModel):
    """A token at one place of the prompt."""

    logprob: float
    rank: int | None = None


Ids = Annotated[list[int] | None, WrapValidator(or_none)]
Written = Annotated[Logprobs | None, WrapValidator(or_none)]
PromptLogprobs = Annotated[list[dict[int, PromptToken] | None] | None, WrapValidator(or_none)]
"""For each place the token that stands there, and those that were likelier, by their ids."""


class Collector(BaseModel):
    """Adds up what the events of an answer, or its only one, say of the tokens."""

    prompt_ids: list[int] | None = None
    ids: list[int] = Field(default_factory=list)
    tokens: list[Token] = Field(default_factory=list)

    def add(
        self, prompt_ids: list[int] | None, logprobs: Logprobs | None = None, ids: list[int] | None = None
    ) -> None:
        """Take in what one event says."""
        self.prompt_ids = self.prompt_ids or prompt_ids
        self.ids += ids or []
        self.tokens += (logprobs.content if logprobs else None) or []

    def data(self, prompt: PromptLogprobs = None) -> TokenData | None:
        """All of it; None where there is nothing. What does not fit together is left out."""
        keys = [token.key for token in self.tokens]
        ids = self.ids or [key for key in keys if key is not None]
        logprobs: list[float] | None = [max(LEAST, token.logprob) for token in self.tokens]
        if not logprobs or (ids and len(ids) != len(logprobs)):
            logprobs = None
        found = TokenData(
            prompt_ids=_tuple(self.prompt_ids),
            prompt_logprobs=_of_prompt(prompt, self.prompt_ids),
            completion_ids=_tuple(ids),
            completion_logprobs=_tuple(logprobs),
        )
        return None if found == TokenData() else found


def request_fields(wanted: Wanted, *, official: bool) -> dict[str, Any]:
    """What to ask a server for. OpenAI's own refuses fields that it does not know."""
    if wanted is None:
        return {}
    fields: dict[str, Any] = {"logprobs": True}
    if not official:
        fields["return_token_ids"] = True
        if wanted == "all":
            fields["prompt_logprobs"] = 0  # the prompt's own tokens, and no likelier ones beside them
    return fields


def _tuple(values: Sequence[Any] | None) -> tuple[Any, ...] | None:
    return tuple(values) if values else None


def _of_prompt(
    given: Sequence[Mapping[int, PromptToken] | None] | None, ids: Sequence[int] | None
) -> tuple[float | None, ...] | None:
    if not given or (ids and len(ids) != len(given)):
        return None
    return tuple(_own(place, ids[index] if ids else None) for index, place in enumerate(given))


def _own(place: Mapping[int, PromptToken] | None, key: int | None) -> float | None:
    """The log-probability of the token that stands at a place: the one of this id, or the only one."""
    if not place:
        return None
    only = next(iter(place.values())) if len(place) == 1 else None
    token = place.get(key, only) if key is not None else only
    return max(LEAST, token.logprob) if token else None
