"""Chat Completions on the wire: the fields that we read, in whichever way servers fill them."""

import json
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, model_validator

from debug_gym.agents.models.logprobs import Ids, PromptLogprobs, Written
from debug_gym.agents.models.tokens import Counts


def _arguments(value: Any) -> Any:
    """Some servers send the arguments as an object, or null for none."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _content(value: Any) -> Any:
    """Some servers send the text in parts, as an object that holds it, or null for none."""
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        return "" if value is None else value
    return "".join(str(part.get("text") or "") for part in value if isinstance(part, dict))


def _object(value: Any) -> Any:
    """Some servers send null for an object with nothing in it."""
    return {} if value is None else value


def _list(value: Any) -> Any:
    """Some servers send null or a text for an empty list, null in it, or one entry alone."""
    value = [value] if isinstance(value, dict) else value or []
    return [item for item in value if item is not None] if isinstance(value, list) else value


def _id(value: Any) -> Any:
    """Some servers count, where others make up names."""
    return str(value) if isinstance(value, int) else value


def _reason(value: Any) -> Any:
    """Why it ended, whatever stands there."""
    return value if value is None or isinstance(value, str) else json.dumps(value)


Reason = Annotated[str | None, BeforeValidator(_reason)]
Text = Annotated[str, BeforeValidator(_content)]


class Function(BaseModel):
    """Which function, with its arguments as JSON text; in a stream, some of that."""

    name: str | None = None
    arguments: Annotated[str, BeforeValidator(_arguments)] = Field(
        default="", validation_alias=AliasChoices("arguments", "parameters")
    )


class FunctionCall(BaseModel):
    """One call of a function, or a part of one."""

    index: int | None = None
    id: Annotated[str | None, BeforeValidator(_id)] = None
    function: Annotated[Function, BeforeValidator(_object)] = Field(default_factory=Function)

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, value: Any) -> Any:
        """Some servers leave out the object ``function`` around the name and the arguments."""
        if isinstance(value, dict) and "function" not in value and "name" in value:
            return {**value, "function": value}
        return value

    def continued_by(self, part: "FunctionCall") -> bool:
        """Whether a part of a stream goes on with this call, the last one or the one of its index.

        Some servers give every call the index 0, or none; some give every part an id of its own.
        """
        name, further = self.function.name, part.function.name
        if not further or not name or self.repeated_by(part):
            return True
        if part.id and self.id and part.id != self.id:
            return False
        if self.function.arguments:  # a name that comes again is the same call, until that is whole
            return further == name and not _whole(self.function.arguments)
        return part.index is not None or self.index is not None or bool(self.id) or further == name

    def repeated_by(self, part: "FunctionCall") -> bool:
        """Whether a part is this call again, whole: some servers end a stream with that."""
        return bool(self.id) and self.id == part.id and self.function == part.function

    def add(self, part: "FunctionCall") -> None:
        """Append a part of this call. A name may come in parts as well, or again with each of them."""
        mine, more = self.function, part.function
        if self.repeated_by(part):
            return
        if mine.arguments == "{}" and more.arguments.lstrip().startswith("{"):
            mine.arguments = ""  # it only stood for "none yet"
        self.id = self.id or part.id
        if more.name and more.name != mine.name:
            mine.name = (mine.name or "") + more.name
        mine.arguments += more.arguments


class AssistantMessage(BaseModel):
    """What the model said, or a part of it."""

    content: Text = ""
    refusal: Text = ""
    """What it said in place of a content: that it will not do it."""
    tool_calls: Annotated[list[FunctionCall], BeforeValidator(_list)] = Field(default_factory=list)
    function_call: Annotated[Function, BeforeValidator(_object)] = Field(default_factory=Function)
    """What came before ``tool_calls``; some servers still speak it."""
    reasoning_content: Text = ""
    reasoning: Text = ""

    @property
    def calls(self) -> list[FunctionCall]:
        """The calls, in whichever way they came."""
        legacy = self.function_call
        calls = [call for call in self.tool_calls if call.function.name or call.function.arguments]
        return calls or ([FunctionCall(function=legacy)] if legacy.name else [])

    def add(self, part: "AssistantMessage") -> None:
        """Append what a further event of a stream brings."""
        self.content += part.content
        self.refusal += part.refusal
        self.reasoning_content += part.reasoning_content
        self.reasoning += part.reasoning
        self.function_call.name = self.function_call.name or part.function_call.name
        self.function_call.arguments += part.function_call.arguments
        for piece in part.tool_calls:
            call = self._open_call(piece)
            if call is not None and call.continued_by(piece):
                call.add(piece)
            else:
                self.tool_calls.append(piece)

    def _open_call(self, piece: FunctionCall) -> FunctionCall | None:
        """The call that a part may belong to: the last one of its id or index; without both, the last."""
        for key in ("id", "index"):
            if (value := getattr(piece, key)) is not None:
                known = [call for call in self.tool_calls if getattr(call, key) == value]
                if known or key == "index":
                    return known[-1] if known else None
        return self.tool_calls[-1] if self.tool_calls else None


class Choice(BaseModel):
    """One alternative of the answer; we ask for one."""

    @model_validator(mode="before")
    @classmethod
    def _held_back(cls, value: Any) -> Any:
        """Some servers send null for a message that a filter held back."""
        if isinstance(value, dict) and value.get("message") is None and value.get("finish_reason"):
            return {**value, "message": {}}
        return value

    message: AssistantMessage
    finish_reason: Reason = None
    logprobs: Written = None
    token_ids: Ids = None


class Completion(BaseModel):
    """The body of an answer."""

    choices: list[Choice] = Field(min_length=1)
    usage: Counts = None
    prompt_token_ids: Ids = None
    prompt_logprobs: PromptLogprobs = None


class ChunkChoice(BaseModel):
    """What an event adds to the answer."""

    @model_validator(mode="before")
    @classmethod
    def _message(cls, value: Any) -> Any:
        """Some servers that cannot stream send the whole message in one event."""
        if isinstance(value, dict) and value.get("delta") is None and value.get("message") is not None:
            return {**value, "delta": value["message"], "whole": True}
        return value

    delta: Annotated[AssistantMessage, BeforeValidator(_object)] = Field(default_factory=AssistantMessage)
    whole: bool = False
    """It is no part: it holds all of the message."""
    finish_reason: Reason = None
    logprobs: Written = None
    token_ids: Ids = None


class Chunk(BaseModel):
    """One event of a stream; the last one may hold the usage alone."""

    choices: Annotated[list[ChunkChoice], BeforeValidator(_list)] = Field(default_factory=list)
    usage: Counts = None
    prompt_token_ids: Ids = None


def _whole(arguments: str) -> bool:
    try:
        json.loads(arguments)
    except ValueError:
        return False
    return True
