"""What an agent is, and the loop that plays one episode."""

import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gymnasium

from debug_gym.episode import Observation, Step, ToolCall, Trajectory
from debug_gym.task import Task

Env = gymnasium.Env[str, Any]


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
    fork: Callable[[], Env]
    """Gives an independent copy of the live environment to try things out in: it has no step limit and is
    never judged. Close it after use."""
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
        """What the agent has spent since its last decision, in the terms of ``Decision.usage``."""
        return {}


def play(
    env: Env,
    agent: Agent,
    *,
    seed: int | None = None,
    options: dict[str, Any] | None = None,
    attempt: int = 0,
    on_step: Callable[[Step], None] = lambda step: None,
) -> Trajectory:
    """Play one episode to its end and return everything that happened.

    ``on_step`` is called after each step, e.g. to write it to disk. The environment stays open.
    """
    first, info = env.reset(seed=seed, options=options)
    world = env.unwrapped
    task: Task = world.task  # type: ignore[attr-defined]
    agent.start(
        Briefing(
            task=task if agent.sees_gold else task.for_agent(),
            tools=world.toolbox.schemas(),  # type: ignore[attr-defined]
            observation=first,
            info=info,
            fork=lambda: world.fork(scratch=True),  # type: ignore[attr-defined]
            seed=seed or 0,
            max_steps=world.max_steps,  # type: ignore[attr-defined]
        )
    )
    steps: list[Step] = []
    usage: Counter[str] = Counter()
    observation = Observation(text=first, data=info)
    done = False
    while not done and (decision := agent.act(observation)) is not None:
        began = time.monotonic()
        text, reward, terminated, truncated, info = env.step(decision.call)
        observation = Observation(text=text, data=info["data"], error=info["error"])
        step = Step(
            index=len(steps),
            call=decision.call,
            observation=observation,
            reward=float(reward),
            terminated=terminated,
            truncated=truncated,
            seconds=time.monotonic() - began,
            thought=decision.thought,
            usage=decision.usage,
        )
        steps.append(step)
        usage.update(step.usage)  # sums floats as well
        on_step(step)
        done = terminated or truncated
    usage.update(agent.unbilled())
    return Trajectory(
        task=task.id,
        benchmark=task.benchmark,
        agent=agent.name,
        attempt=attempt,
        seed=seed,
        first_observation=first,
        steps=tuple(steps),
        stop_reason=agent.stop_reason,
        usage=dict(usage),
        verdict=world.judge(),  # type: ignore[attr-defined]
    )
