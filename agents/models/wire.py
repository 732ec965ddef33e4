"""The parts of a chat completion that we read, validated: servers do not always send what they should."""

import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field


def _arguments(value: Any) -> Any:
    """Some servers send the arguments as an object, or null for none."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _content(value: Any) -> Any:
    """Some servers send the text in parts."""
    if not isinstance(value, list):
        return value
    return "".join(str(part.get("text") or "") for part in value if isinstance(part, dict))


class Function(BaseModel):
    """Which function, with its arguments as JSON text."""

    name: str
    arguments: Annotated[str, BeforeValidator(_arguments)] = ""


class FunctionCall(BaseModel):
    """One call of a function."""

    id: str | None = None
    function: Function


class AssistantMessage(BaseModel):
    """What the model said."""

    content: Annotated[str | None, BeforeValidator(_content)] = None
    tool_calls: list[FunctionCall] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class Choice(BaseModel):
    """One alternative of the answer; we ask for one."""

    message: AssistantMessage
    finish_reason: str | None = None


class PromptDetails(BaseModel):
    """Where the input tokens came from."""

    cached_tokens: int | None = None


class TokenCounts(BaseModel):
    """The server's own count."""

    prompt_tokens: int
    completion_tokens: int
    prompt_tokens_details: PromptDetails | None = None


class Completion(BaseModel):
    """The body of an answer."""

    choices: list[Choice] = Field(min_length=1)
    usage: TokenCounts | None = None
