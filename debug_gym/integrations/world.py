"""Which environment the episodes of a framework are played in, in a form that its logs and wires can hold."""

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, Field

from debug_gym.env import DEFAULT_TOOLS, DebugGymEnv
from debug_gym.errors import ConfigError, UnknownNameError
from debug_gym.opening import opening
from debug_gym.session import Attempt, AttemptSession


class World(BaseModel, frozen=True, extra="forbid"):
    """A benchmark, and how it is played."""

    benchmark: str
    options: dict[str, Any] = Field(default_factory=dict)
    """Of the benchmark."""
    tasks: tuple[str, ...] = ()
    """Ids or globs; none: all."""
    tools: tuple[str, ...] = DEFAULT_TOOLS
    max_steps: int | None = None
    """Calls of our tools in an episode; None: only the framework's limits hold."""
    backend: str = "namespace"
    """The name of a sandbox."""
    reward: Literal["sparse", "dense"] = "sparse"
    """Of the steps: see ``DebugGymEnv``."""

    def __hash__(self) -> int:
        return hash(self.model_dump_json())  # frameworks keep configs in sets

    def environment(self) -> DebugGymEnv:
        """The environment whose copies are played in.

        Raises:
            ConfigError, UnknownNameError: there is none such.
        """
        return _environment(self.model_dump_json())

    def openings(self) -> Iterator[tuple[str, str]]:
        """Each task's id, and what an agent reads first. Raises as ``environment`` does.

        Raises:
            ConfigError: a task is a question, which no judge scores.
        """
        for name, task in self.environment().tasks.items():
            if task.question is not None:
                raise ConfigError(
                    f"{name} asks for an answer in words: play it by  debug-gym run  and  grade"
                )
            yield name, opening(task)

    def begin(self, task: str | None, agent: str, seed: int | None = None) -> AttemptSession:
        """A live attempt at a task. Raises as ``environment`` and ``AttemptSession.begin`` do.

        Args:
            task: its id; None: one is drawn.
            agent: who plays, for the records.
            seed: decides which is drawn; None: any.
        """
        env = self.environment()
        if task is not None and task not in env.tasks:
            raise UnknownNameError("task", task, env.tasks)
        attempt = Attempt(env.tasks[task]) if task is not None else None
        session = AttemptSession(copy.deepcopy(env), attempt, agent=agent, seed=seed)
        session.begin()
        return session


@cache
def _environment(settings: str) -> DebugGymEnv:
    world = World.model_validate_json(settings)
    return DebugGymEnv(
        world.benchmark,
        tasks=world.tasks,
        tools=world.tools,
        max_steps=world.max_steps,
        sandbox=world.backend,
        reward=world.reward,
        **world.options,
    )
