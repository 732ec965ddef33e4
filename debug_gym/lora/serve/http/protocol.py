"""What clients send: OpenAI's chat completions, as far as they make sense for a local model."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from debug_gym.lora.serve.assistant import Question
from debug_gym.lora.serve.constraints import MOST
from debug_gym.lora.serve.sampling import MAX_TOP, Sampling

MAX_CHOICES = 16


def _listed(value: Any) -> Any:
    return [] if value is None else [value] if isinstance(value, str) else value


def _unset(default: Any) -> Any:
    """null stands for the default, as with OpenAI."""
    return BeforeValidator(lambda value: default if value is None else value)


class FunctionCall(BaseModel):
    """A call of the assistant in an earlier message."""

    name: str
    arguments: str = "{}"


class ToolCall(BaseModel):
    """The same with its id."""

    id: str = ""
    function: FunctionCall


class TextPart(BaseModel):
    """A part of a message."""

    type: Literal["text", "input_text", "refusal"]
    text: str = ""


class Message(BaseModel):
    """One message of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[TextPart] | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None

    def told(self) -> dict[str, Any]:
        """As chat templates know it: ``developer`` is OpenAI's newer word for ``system``."""
        content = self.content if isinstance(self.content, str) else ""
        if isinstance(self.content, list):
            content = "".join(part.text for part in self.content)
        told: dict[str, Any] = {
            "role": "system" if self.role == "developer" else self.role,
            "content": content,
        }
        if self.tool_calls:
            told["tool_calls"] = [{"type": "function", **call.model_dump()} for call in self.tool_calls]
        if self.tool_call_id is not None:
            told["tool_call_id"] = self.tool_call_id
        return told


class Function(BaseModel):
    """What a tool is called and takes."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    description: str | None = None
    parameters: dict[str, Any] | None = None


class Tool(BaseModel):
    """A tool on offer."""

    type: Literal["function"]
    function: Function

    def told(self) -> dict[str, Any]:
        """As chat templates know it."""
        function = {
            "name": self.function.name,
            "description": self.function.description or "",
            "parameters": self.function.parameters or {"type": "object", "properties": {}},
        }
        return {"type": "function", "function": function}


class NamedFunction(BaseModel):
    """The name alone."""

    name: str


class NamedTool(BaseModel):
    """The one tool that must be called."""

    type: Literal["function"]
    function: NamedFunction


class JSONSchema(BaseModel):
    """A schema for the whole answer."""

    name: str = ""
    schema_: dict[str, Any] = Field(default_factory=dict, alias="schema")


class ResponseFormat(BaseModel):
    """What the whole answer must be."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JSONSchema | None = None


class StreamOptions(BaseModel):
    """What a stream also tells."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """The body of ``POST /v1/chat/completions``. Fields that are not here are passed over."""

    model: str
    messages: list[Message] = Field(min_length=1)
    tools: list[Tool] | None = None
    tool_choice: Annotated[Literal["none", "auto", "required"] | NamedTool, _unset("auto")] = "auto"
    parallel_tool_calls: Annotated[bool, _unset(True)] = True
    max_tokens: int | None = Field(default=None, gt=0)
    max_completion_tokens: int | None = Field(default=None, gt=0)
    temperature: Annotated[float, _unset(1.0)] = Field(default=1.0, ge=0, le=10)
    top_p: Annotated[float, _unset(1.0)] = Field(default=1.0, gt=0, le=1)
    top_k: Annotated[int, _unset(0)] = Field(default=0, ge=0)
    min_p: Annotated[float, _unset(0.0)] = Field(default=0.0, ge=0, le=1)
    presence_penalty: Annotated[float, _unset(0.0)] = Field(default=0.0, ge=-2, le=2)
    frequency_penalty: Annotated[float, _unset(0.0)] = Field(default=0.0, ge=-2, le=2)
    n: Annotated[int, _unset(1)] = Field(default=1, ge=1, le=MAX_CHOICES)
    stop: Annotated[list[str], BeforeValidator(_listed)] = Field(default_factory=list, max_length=16)
    seed: int | None = None
    stream: Annotated[bool, _unset(False)] = False
    stream_options: StreamOptions | None = None
    logprobs: Annotated[bool, _unset(False)] = False
    top_logprobs: Annotated[int, _unset(0)] = Field(default=0, ge=0, le=MAX_TOP)
    return_token_ids: Annotated[bool, _unset(False)] = False
    """vLLM's: also the ids of the prompt's tokens, and of the answer's."""
    response_format: ResponseFormat | None = None
    logit_bias: dict[str, float] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.logit_bias:
            raise ValueError("logit_bias is not supported")
        if self.top_logprobs and not self.logprobs:
            raise ValueError("top_logprobs needs logprobs to be true")
        if self.tools is None and self.tool_choice not in ("auto", "none"):
            raise ValueError("tool_choice needs tools")
        if isinstance(self.tool_choice, NamedTool) and not self._chosen():
            raise ValueError(
                f"tool_choice names {self.tool_choice.function.name!r}, which is not among the tools"
            )
        return self

    def questions(self, model: str) -> list[Question]:
        """One question for each choice of the answer.

        Args:
            model: the expert, the router or the base that ``model`` stands for.
        """
        return [self._question(model, number) for number in range(self.n)]

    def _question(self, model: str, number: int) -> Question:
        named = isinstance(self.tool_choice, NamedTool)
        return Question(
            messages=[message.told() for message in self.messages],
            tools=[tool.told() for tool in (self._chosen() if named else self.tools or ())],
            model=model,
            sampling=Sampling(
                max_tokens=self.max_completion_tokens or self.max_tokens,
                temperature=self.temperature,
                top_p=self.top_p,
                top_k=self.top_k,
                min_p=self.min_p,
                presence_penalty=self.presence_penalty,
                frequency_penalty=self.frequency_penalty,
                seed=None if self.seed is None else self.seed + number,
                stop=tuple(self.stop),
                top_logprobs=self.top_logprobs,
            ),
            calls="required" if isinstance(self.tool_choice, NamedTool) else self.tool_choice,
            most_calls=MOST if self.parallel_tool_calls and not named else 1,
            schema=self._schema(),
        )

    def _chosen(self) -> list[Tool]:
        wanted = self.tool_choice.function.name if isinstance(self.tool_choice, NamedTool) else ""
        return [tool for tool in self.tools or () if tool.function.name == wanted]

    def _schema(self) -> dict[str, Any] | None:
        form = self.response_format
        if form is None or form.type == "text":
            return None
        return form.json_schema.schema_ if form.json_schema else {"type": "object"}
