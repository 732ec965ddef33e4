"""What happens in an episode: tool calls, observations, steps, and the trajectory that they make up."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from debug_gym.errors import DebugGymError
from debug_gym.task import Frozen

SCHEMA_VERSION = 1


MAX_ARGUMENTS = 1 << 20
"""Characters that the arguments of a tool call may have, all texts together."""
_SHOWN = 2000
"""Characters that are kept of each text of a call that has more."""


def _size(value: Any) -> int:
    """About how many characters a JSON-like value has."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(len(str(key)) + _size(item) for key, item in value.items())
    return sum(map(_size, value)) if isinstance(value, list | tuple) else 1


def _shortened(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _SHOWN else f"{value[:_SHOWN]}[{len(value) - _SHOWN} more characters]"
    if isinstance(value, dict):
        return {_shortened(key): _shortened(item) for key, item in list(value.items())[:_SHOWN]}
    return [_shortened(item) for item in value[:_SHOWN]] if isinstance(value, list | tuple) else value


def bounded(text: str) -> str:
    """What is stored of a text: all of it, unless it is longer than a call's arguments may be."""
    return text if len(text) <= MAX_ARGUMENTS else str(_shortened(text))


def unicode(value: Any) -> Any:
    """The same JSON-like value with lone surrogates (no valid text, but possible in file names) replaced."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_text_of(key): _text_of(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_text_of(item) for item in value]
    return value


def _text_of(item: Any) -> Any:
    """``unicode``, quick for what most data is: each of thousands of tests has an outcome."""
    return item if item.__class__ is str and item.isascii() else unicode(item)


class InvalidToolCallError(DebugGymError, ValueError):
    """An action is not a tool call: not JSON, no name, arguments that are not an object."""


class ToolCall(Frozen):
    """One action of an agent."""

    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    id: str = ""
    """The model's id of this call, if it gave one: the reply goes back under it."""

    _unicode = field_validator("name", "arguments", "id", mode="before")(unicode)

    @property
    def too_long(self) -> int:
        """How many characters the arguments have, if that is more than ``MAX_ARGUMENTS``; else 0."""
        size = _size(self.arguments)
        return size if size > MAX_ARGUMENTS else 0

    def for_record(self) -> "ToolCall":
        """The same call; of a name and arguments that are too long to be played, what can be stored."""
        if len(self.name) + self.too_long <= MAX_ARGUMENTS:
            return self
        short = _shortened(self.arguments) if self.too_long else self.arguments
        return self.model_copy(update={"name": _shortened(self.name), "arguments": short})

    @classmethod
    def parse(cls, action: "ToolCall | dict[str, Any] | str") -> "ToolCall":
        """Read a tool call from what an agent may hand in: a ``ToolCall``, its dict, or its JSON.

        Raises:
            InvalidToolCallError: with a sentence that says what is wrong.
        """
        if isinstance(action, ToolCall):
            return action
        if isinstance(action, str):
            try:
                action = json.loads(action)
            except ValueError as error:
                raise InvalidToolCallError(f"the tool call is not valid JSON: {error}") from None
        if not isinstance(action, dict) or not isinstance(action.get("name"), str):
            raise InvalidToolCallError(
                'a tool call looks like {"name": "view", "arguments": {"path": "a.py"}}'
            )
        arguments = action.get("arguments")
        if isinstance(arguments, str):  # OpenAI's wire format: the arguments are JSON inside JSON
            try:
                arguments = json.loads(arguments or "{}")
                if isinstance(arguments, str):  # some models do it twice
                    arguments = json.loads(arguments)
            except ValueError as error:
                raise InvalidToolCallError(
                    f"the arguments of {action['name']} are not valid JSON: {error}"
                ) from None
        try:
            return cls.model_validate({**action, "arguments": {} if arguments is None else arguments})
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise InvalidToolCallError(f"not a valid tool call: {where}: {first['msg']}") from None


@dataclass(frozen=True)
class RequestedCall:
    """A tool call as the model wrote it: its arguments are text that may or may not be JSON."""

    name: str
    arguments: str
    id: str = ""
    """Empty where the server gave none."""

    def parse(self) -> ToolCall:
        """The call, ready to be played.

        Raises:
            InvalidToolCallError: the arguments are not a JSON object of text that can be stored; the message
                says what is wrong.
        """
        call = ToolCall.parse({"name": self.name, "arguments": self.arguments, "id": self.id})
        try:
            json.dumps(json.loads(self.arguments or "{}"), ensure_ascii=False).encode()
        except UnicodeEncodeError:
            message = f"the arguments of {self.name} hold half of a surrogate pair (\\ud800 to \\udfff)"
            raise InvalidToolCallError(message) from None
        return call


ToolKind = Literal["look", "edit", "test", "debug", "shell", "end", "other"]
"""What a tool is for: reading files, changing them, running tests, debugging, a shell, ending the episode, or
something else."""


class Observation(Frozen):
    """What a tool call gave: text for the agent, data for programs."""

    text: str
    data: dict[str, Any] = Field(default_factory=dict)
    """Structured and deterministic: no times, no addresses, no temporary paths."""
    error: bool = False
    """The call was wrong or failed as a call; the agent should read the text and try again."""
    kind: ToolKind | None = None
    """Of the tool that gave it; None where there is no such tool, and in runs of older versions."""

    _unicode = field_validator("text", "data", mode="before")(unicode)


class TokenData(Frozen):
    """The tokens of one reply of a model: what reinforcement learning computes its loss from.

    Each is None where the server does not give it. Log-probabilities are natural logarithms, under the
    distribution that the reply was sampled from.
    """

    prompt_ids: tuple[int, ...] | None = None
    """The whole conversation as the model read it, its chat template applied."""
    prompt_logprobs: tuple[float | None, ...] | None = None
    """One for each of ``prompt_ids``; the first token has none."""
    completion_ids: tuple[int, ...] | None = None
    """What the model wrote, its end-of-turn token included."""
    completion_logprobs: tuple[float, ...] | None = None
    """One for each of ``completion_ids``."""


class ModelReply(Frozen):
    """One reply of the model that an agent asks, as it came, whether or not a call in it was played."""

    text: str = ""
    reasoning: str = ""
    """Where the server shows it."""
    calls: tuple[RequestedCall, ...] = ()
    """The calls as the model wrote them."""
    finish_reason: str = ""
    """``stop``, ``tool_calls``, ``length`` (cut off at the token limit), or the server's own word."""
    purpose: Literal["call", "summary"] = "call"
    """What the model was asked for: a tool call, or a summary of the conversation."""
    remark: str = ""
    """What the model was told about how its reply was read: why calls were not played, what was mended."""
    usage: dict[str, float] = Field(default_factory=dict)
    """What it cost, in the terms of ``Step.usage``."""
    tokens: TokenData | None = None
    """Its tokens, where the agent's model was asked for them and gives them."""


class Step(Frozen):
    """One turn: the call, what came back, and where the episode stands."""

    kind: Literal["step"] = "step"
    index: int
    """Counts from 0."""
    call: ToolCall
    observation: Observation
    reward: float
    terminated: bool
    truncated: bool
    seconds: float
    """Wall-clock time of the environment's part of the step."""
    thought: str = ""
    """The text that the agent's model wrote beside the call."""
    usage: dict[str, float] = Field(default_factory=dict)
    """What the model call cost: ``input_tokens``, ``output_tokens``, ``dollars``, ``seconds``."""
    replies: tuple[ModelReply, ...] = ()
    """What the agent's model said since the step before: the last reply holds this call; those before it hold
    none that could be played. Empty where the call came with those of an earlier step."""

    @property
    def unplayed(self) -> tuple[ModelReply, ...]:
        """The replies that held no call that could be played."""
        return self.replies[:-1]

    _unicode = field_validator("thought", mode="before")(unicode)


class HarnessVerdict(Frozen):
    """What the harness says that a benchmark comes with. It decides nothing here."""

    name: str
    """Of the harness."""
    resolved: bool
    reason: str = ""
    """Why not; it names some of the tests."""

    _unicode = field_validator("reason", mode="before")(unicode)


class Verdict(Frozen):
    """What the judge says about a changed workspace."""

    resolved: bool
    expected: dict[str, str] = Field(default_factory=dict)
    """Required test id to the outcome that is demanded."""
    seen: dict[str, str] = Field(default_factory=dict)
    """Required test id to the outcome that was seen (``missing`` if it never reported)."""
    fail_to_pass: float = 0.0
    """Share of the fail-to-pass tests that pass, 0 to 1."""
    pass_to_pass: float = 0.0
    """Share of the pass-to-pass tests that pass, 0 to 1 (1 where there are none)."""
    changed: tuple[str, ...] = ()
    """Changed files that counted."""
    rejected: tuple[str, ...] = ()
    """Changed files that did not count, each with the reason: ``path: reason``."""
    cheating: tuple[str, ...] = ()
    """Findings with their evidence; any makes ``resolved`` false."""
    doubts: tuple[str, ...] = ()
    """Sentences: why a verdict that says resolved may yet be wrong. They do not change it: code that does
    what fixes seldom do and forgers often, and tests that cannot bound forging."""
    excluded: tuple[str, ...] = ()
    """Tests of the task that did not count because they are unstable."""
    controls: int = 0
    """How many negative controls were drawn: edits of the tests after which they must fail. 0: the task can
    have none, or a required test does not pass, so that none was needed."""
    odds: float = 1.0
    """Upper bound of the chance that code which forges results blindly gets past the controls of this
    verdict; 1 where nothing bounds it (see ``debug_gym.judge.controls.sample``)."""
    open_ended: bool = False
    """No test can score this task: ``resolved`` says nothing, a model or a person grades ``answer``."""
    answer: str = ""
    """What was handed in to an open-ended task; empty: nothing."""
    reason: str = ""
    """One sentence: why it is not resolved."""
    harness: HarnessVerdict | None = None
    """What the benchmark's own harness says, for comparison; None: there is none, or it was not asked."""
    output: str = ""
    """The end of the test run's output."""
    seconds: float = 0.0

    _unicode = field_validator(
        "changed", "rejected", "cheating", "answer", "reason", "output", mode="before"
    )(unicode)


class Trajectory(Frozen):
    """Everything that happened in one episode."""

    schema_version: int = SCHEMA_VERSION
    task: str
    benchmark: str
    agent: str
    attempt: int = 0
    """Counts from 0: which of several tries at the task."""
    seed: int | None = None
    first_observation: str = ""
    steps: tuple[Step, ...] = ()
    stop_reason: str = ""
    """Why the agent gave up; empty where it did not."""
    usage: dict[str, float] = Field(default_factory=dict)
    """What the whole episode cost, in the terms of ``Step.usage``; more than the sum of the steps where the
    agent gave up over replies that led to no step."""
    replies: tuple[ModelReply, ...] = ()
    """What the agent's model said after the last step."""
    verdict: Verdict | None = None
