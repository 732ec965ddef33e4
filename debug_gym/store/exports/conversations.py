"""Episodes as conversations with a model, whoever played them: what a model is trained on."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from debug_gym import plugins
from debug_gym.agents.llm import LLMAgent, LLMSettings, prompts
from debug_gym.agents.llm.calls import NOT_IN_NAMES
from debug_gym.agents.models import Message, Model, Reply, Schema
from debug_gym.agents.models.factory import takes_model
from debug_gym.episode import ModelReply, Step, Trajectory
from debug_gym.errors import ConfigError, ModelError, UnknownNameError
from debug_gym.opening import problem_in
from debug_gym.store.records import Result, Run
from debug_gym.task import FilesSource, Frozen, Task
from debug_gym.tools.base import Toolbox

LEARNER = "llm"
"""The agent whose conversations are exported where the one that played asks no model."""


class Conversation(Frozen):
    """An episode as a model would have led it: its opening, then calls and their answers in turn."""

    run: str
    """The run's folder."""
    benchmark: str
    task: str
    attempt: int
    agent: str
    """Who played."""
    messages: list[Message]
    """In the form of OpenAI's chat completions."""
    tools: list[Schema]
    """Those that the learner is offered, in the form of OpenAI's function calling."""
    failed: list[bool] = Field(default_factory=list)
    """For each call, whether it was wrong."""
    resolved: bool
    cheating: int = 0

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The calls in order, each with ``name`` and ``arguments``."""
        return [call["function"] for message in self.messages for call in message.get("tool_calls", ())]

    @property
    def characters(self) -> int:
        """All that is said in it."""
        return sum(len(message["content"] or "") for message in self.messages) + sum(
            len(call["arguments"]) for call in self.calls
        )


def conversations(
    run: Run, *, options: Mapping[str, Any] | None = None, tools: Sequence[str] | None = None
) -> Iterator[Conversation]:
    """All attempts of a run that were judged, in order.

    What the learner reads is what an agent with its options reads in an episode: the same prompts, schemas
    and answers. What limits and summaries add to a conversation is left out, and so are replies that held no
    call that could be played.

    Args:
        run: a stored run.
        options: of the learner (``LLMSettings``); they win over those of the agent that played, if that is
            driven by a model.
        tools: names of the tools that the learner is offered; None: those of the run.

    Raises:
        ConfigError: an option is wrong, or a tool of the run is not installed here.
        DebugGymError: a file of the run is damaged.
    """
    settings = learner_settings(run, options or {})
    config = run.manifest.config
    offered = list(tools or settings.tools or config.get("tools") or ())
    if not offered:
        raise ConfigError(f"{run.path} does not say which tools there were: name them by --tools")
    schemas = Toolbox(offered).schemas()
    limits = [limit for limit in (settings.max_steps, config.get("max_steps")) if limit]
    for result in run.results():
        if result.status != "error":
            trajectory = run.trajectory(*result.key)
            opening = prompts.opening(
                settings, _told(trajectory), trajectory.first_observation, offered, min(limits, default=None)
            )
            yield _conversation(run, result, trajectory, [*opening, *_turns(trajectory)], schemas)


def learner_settings(run: Run, options: Mapping[str, Any]) -> LLMSettings:
    """The settings of the agent that is to learn; see ``conversations``."""
    config = run.manifest.config
    known = LLMSettings.model_fields
    for name in options:
        if name not in known:
            raise ConfigError(f"{name} is no option of the learner; those are: {', '.join(known)}")
    name = str(config.get("agent", ""))
    played: Mapping[str, Any] = config.get("agent_options") or {}
    try:
        made_by = plugins.load("agents", name)
    except UnknownNameError:  # a person, or an agent that is not installed here
        made_by = None
    if made_by is None or not takes_model(made_by):
        made_by, played = plugins.load("agents", LEARNER), {}
    own = {key: value for key, value in played.items() if key in known}
    agent = made_by(model=_Nobody(), **{**own, **options})
    assert isinstance(agent, LLMAgent)  # all that take a model and have these options
    return agent.settings


def _told(trajectory: Trajectory) -> Task:
    """As much of the task as a prompt may show."""
    problem = problem_in(trajectory.first_observation) or "?"
    return Task(
        id=trajectory.task, benchmark=trajectory.benchmark, problem=problem, source=FilesSource(files={})
    )


def _conversation(
    run: Run, result: Result, trajectory: Trajectory, messages: list[Message], schemas: list[Schema]
) -> Conversation:
    return Conversation(
        run=str(run.path),
        benchmark=trajectory.benchmark,
        task=result.task,
        attempt=result.attempt,
        agent=trajectory.agent,
        messages=messages,
        tools=schemas,
        failed=[step.observation.error for step in trajectory.steps],
        resolved=result.status == "resolved",
        cheating=result.cheating,
    )


def _turns(trajectory: Trajectory) -> Iterator[Message]:
    """A message of the assistant for each reply, or each call where no model was asked, and the answers."""
    asked = any(step.replies for step in trajectory.steps)
    turns: list[list[Step]] = []
    for step in trajectory.steps:
        if turns and asked and not step.replies:
            turns[-1].append(step)
        else:
            turns.append([step])
    for turn in turns:
        reply = turn[0].replies[-1] if turn[0].replies else None
        yield _said(turn, reply)
        for step in turn:
            yield {"role": "tool", "tool_call_id": _id(step), "content": step.observation.text}


def _said(turn: list[Step], reply: ModelReply | None) -> Message:
    content = turn[0].thought if reply is None else reply.text
    message: Message = {"role": "assistant", "content": content or None}
    if reply is not None and reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    return {**message, "tool_calls": [_call(step) for step in turn]}


def _call(step: Step) -> dict[str, Any]:
    name = NOT_IN_NAMES.sub("_", step.call.name)[:64] or "unknown"
    arguments = json.dumps(step.call.arguments, ensure_ascii=False)
    return {"id": _id(step), "type": "function", "function": {"name": name, "arguments": arguments}}


def _id(step: Step) -> str:
    return step.call.id or f"call{step.index:05}"


class _Nobody(Model):
    """Stands for the model of an agent whose settings alone are wanted."""

    name = "nobody"

    def reply(self, messages: Sequence[Message], tools: Sequence[Schema], *, episode: str = "") -> Reply:
        """Nobody answers."""
        raise ModelError("this agent was made for its settings alone")
