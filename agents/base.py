"""What an agent is, and what it is given."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from debug_gym.episode import ModelReply, Observation, ToolCall
from debug_gym.task import Task


class AgentEnv(Protocol):
    """A copy of the live environment in a sandbox of its own, to try things out in.

    It has no limit of steps and gives no reward; no judge ever looks at it, and nothing that only the judge
    may know is in it.
    """

    def call(self, call: ToolCall) -> Observation:
        """Play a tool call."""

    def fork(self) -> "AgentEnv":
        """A copy of this copy."""

    def pack(self) -> bytes:
        """All files of the workspace as a tar archive, but ``.git``."""

    def close(self) -> None:
        """Let go of the sandbox."""


@dataclass(frozen=True)
class Briefing:
    """What an agent is given at the start of an episode."""

    task: Task
    """As an agent may see it (``Task.for_agent``), unless the agent's class says ``sees_gold``."""
    tools: list[dict[str, Any]]
    """The tools' schemas in the form of OpenAI's function calling."""
    observation: str
    """The first observation: the problem and how to work."""
    info: dict[str, Any]
    fork: Callable[[], AgentEnv]
    """Gives an independent copy of the live environment to try things out in. Close it after use."""
    seed: int
    max_steps: int | None = None
    """The environment's limit of tool calls; None: there is none."""


@dataclass
class Decision:
    """An agent's next tool call, and what it wants recorded beside it."""

    call: ToolCall
    thought: str = ""
    usage: dict[str, float] = field(default_factory=dict)
    """``input_tokens``, ``output_tokens``, ``dollars``, ``seconds``."""
    replies: tuple[ModelReply, ...] = ()
    """What a model said since the last decision."""


class Agent(ABC):
    """Maps what it has seen so far to the next tool call. One instance plays one episode at a time."""

    name: str
    tools: tuple[str, ...] | None = None
    """Names of the environment's tools that it uses; None: all that there are. A run that names no tools
    gives it an environment with these."""
    sees_gold: bool = False
    """It is given the gold patch: a reference, not a contestant."""
    stop_reason: str = ""
    """Why ``act`` returned None; empty while it has not."""

    @abstractmethod
    def start(self, briefing: Briefing) -> None:
        """Begin an episode; forget the last one."""

    @abstractmethod
    def act(self, observation: Observation) -> Decision | None:
        """The next tool call, or None to give up. The first observation is the briefing's."""

    def unbilled(self) -> dict[str, float]:
        """What the agent has spent since its last decision, in the terms of ``Decision.usage``.

        Like ``unplayed``, it may be asked at any time, even before ``start``.
        """
        return {}

    def unplayed(self) -> tuple[ModelReply, ...]:
        """What the agent's model has said since the last decision, e.g. replies with no call in them."""
        return ()

    def close(self) -> None:
        """Let go of what the episode held; called when it is over, however it ended. Most hold nothing."""
        return
