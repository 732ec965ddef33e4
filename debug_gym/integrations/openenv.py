"""OpenEnv (https://huggingface.co/docs/openenv): the gym as one of its environments, and the client of it.

A session of its WebSocket holds one episode; an action is a call of one of the gym's tools in the form of
OpenEnv's own ``CallToolAction``. Needs openenv 0.10.
"""

import os
from collections.abc import Mapping
from typing import Any

import uvicorn
from openenv.core.client_types import StepResult
from openenv.core.env_client import EnvClient
from openenv.core.env_server import Environment, Observation, State, create_app
from openenv.core.env_server.mcp_types import CallToolAction, ListToolsAction, ListToolsObservation, Tool
from openenv.core.env_server.types import EnvironmentMetadata
from pydantic import Field, ValidationError
from starlette.types import ASGIApp

from debug_gym.addresses import demand_secret
from debug_gym.errors import ConfigError, DebugGymError
from debug_gym.integrations.guard import guarded
from debug_gym.integrations.world import World
from debug_gym.opening import opening
from debug_gym.session import AttemptSession
from debug_gym.version import VERSION

__all__ = [
    "CallToolAction",
    "DebugGymClient",
    "DebugGymObservation",
    "DebugGymState",
    "app_of_environ",
    "make_app",
    "serve",
]

NAME = "debug_gym"
SPLIT = "all"
"""The one split of tasks that servers tell of."""
VARIABLE = "DEBUG_GYM_OPENENV_TOKEN"
"""Of the environment: the token that clients must send."""
WORLD = "DEBUG_GYM_OPENENV"
"""Of the environment: what ``app_of_environ`` serves, the JSON of a ``World``."""
NIGHTMARES = World(benchmark="nightmares", max_steps=50)


class DebugGymObservation(Observation):
    """What a reset or a call gives. ``metadata`` of the last one has the ``status`` and its ``reason``."""

    text: str = ""
    """What the agent reads."""
    error: bool = False
    """The call was wrong."""
    tools: list[Tool] = Field(default_factory=list)
    """After a reset: what may be called."""


class DebugGymState(State):
    """How the episode stands."""

    task: str | None = None
    status: str | None = None
    """``resolved``, ``unresolved``, ``cheating``; None while it goes on."""


class DebugGymEnvironment(Environment[CallToolAction, DebugGymObservation, DebugGymState]):
    """An episode at a time, judged in sandboxes that no client reaches.

    Args:
        world: where the episodes are played.
    """

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self._session: AttemptSession | None = None
        self._episode: str | None = None

    # -- episodes ------------------------------------------------------------------------------

    def reset(
        self,
        seed: int | None = None,
        episode_id: str | None = None,
        *,
        task: str | None = None,
        split: str | None = None,
        index: int | None = None,
        **unknown: Any,
    ) -> DebugGymObservation:
        """Begin an episode: the task that is named, or number ``index`` of the split, or one that is drawn.

        Raises:
            ConfigError: an option that there is not.
            UnknownNameError: there is no such task.
            DebugGymError: the episode cannot begin.
        """
        if unknown:
            raise ConfigError(f"reset takes seed, task, split and index, not {', '.join(sorted(unknown))}")
        if index is not None:
            task = self._id(split or SPLIT, index)
        self.close()
        self._session = self._world.begin(task, "openenv", seed)
        self._episode = episode_id
        text = self._session.trajectory.first_observation
        return DebugGymObservation(text=text, tools=self._tools())

    def step(
        self, action: CallToolAction | ListToolsAction, timeout_s: float | None = None, **others: Any
    ) -> Observation:
        """Play a call, or tell which may be made.

        Raises:
            EpisodeOverError: the episode has ended.
            DebugGymError: there is none, or it ended in this call by a failure of the infrastructure.
        """
        if isinstance(action, ListToolsAction):
            return ListToolsObservation(tools=self._tools())
        if self._session is None:
            raise DebugGymError(
                "there is no episode: reset comes first, over the WebSocket that steps are sent by"
            )
        step = self._session.step({"name": action.tool_name, "arguments": action.arguments})
        result = self._session.result
        return DebugGymObservation(
            text=step.observation.text,
            error=step.observation.error,
            done=result is not None,
            reward=step.reward,
            metadata={"status": result.status, "reason": result.reason} if result is not None else {},
        )

    @property
    def state(self) -> DebugGymState:
        """See OpenEnv."""
        session = self._session
        if session is None:
            return DebugGymState()
        status = session.result.status if session.result is not None else None
        return DebugGymState(
            episode_id=self._episode,
            step_count=len(session.steps),
            task=session.attempt.task.id,
            status=status,
        )

    def close(self) -> None:
        """Leave an episode that is not over."""
        if self._session is not None:
            self._session.abandon()
            self._session = None

    def get_metadata(self) -> EnvironmentMetadata:
        """See OpenEnv."""
        told = f"Debug broken repositories of {self._world.benchmark} by tool calls; a judge decides."
        return EnvironmentMetadata(name=NAME, description=told, version=VERSION)

    def _tools(self) -> list[Tool]:
        functions = [schema["function"] for schema in self._world.environment().toolbox.schemas()]
        return [
            Tool(name=one["name"], description=one["description"], input_schema=one["parameters"])
            for one in functions
        ]

    # -- OpenEnv's task API ----------------------------------------------------------------------

    def list_splits(self) -> list[str]:
        """See OpenEnv."""
        return [SPLIT]

    def list_tasks(self, split: str) -> list[dict[str, Any]]:
        """Ids and numbers of the tasks."""
        return [{"id": name, "index": number} for number, name in enumerate(self._ids(split))]

    def num_tasks(self, split: str) -> int:
        """See OpenEnv."""
        return len(self._ids(split))

    def get_task(self, split: str, index: int) -> dict[str, Any]:
        """A task's id, its number and what an agent reads first."""
        name = self._id(split, index)
        return {"id": name, "index": index, "problem": opening(self._world.environment().tasks[name])}

    def get_task_range(
        self, split: str, start: int | None = None, stop: int | None = None
    ) -> list[dict[str, Any]]:
        """See OpenEnv."""
        return self.list_tasks(split)[start:stop]

    def _id(self, split: str, index: int) -> str:
        ids = self._ids(split)
        if not 0 <= index < len(ids):
            raise IndexError(f"there is no task number {index}: they count from 0 to {len(ids) - 1}")
        return ids[index]

    def _ids(self, split: str) -> list[str]:
        if split != SPLIT:
            raise IndexError(f"there is no split {split!r}: {SPLIT!r} has all tasks")
        return list(self._world.environment().tasks)


class DebugGymClient(EnvClient[CallToolAction, DebugGymObservation, DebugGymState]):
    """What trainers hold: ``with DebugGymClient(base_url="http://127.0.0.1:8000").sync() as env: ...``."""

    def _step_payload(self, action: CallToolAction) -> dict[str, Any]:
        return action.model_dump(exclude={"metadata"})

    def _parse_result(self, payload: Mapping[str, Any]) -> StepResult[DebugGymObservation]:
        reward, done = payload.get("reward"), payload.get("done", False)
        seen = DebugGymObservation(**payload["observation"], reward=reward, done=done)
        return StepResult(observation=seen, reward=reward, done=done, metadata=payload.get("metadata"))

    def _parse_state(self, payload: Mapping[str, Any]) -> DebugGymState:
        return DebugGymState(**payload)


def make_app(world: World, limit: int = 64, token: str | None = None) -> ASGIApp:
    """The server's ASGI application.

    Args:
        world: where the episodes are played.
        limit: how many episodes may be live at the same time.
        token: clients must send ``Authorization: Bearer <token>``. None: only this machine is served.

    Raises:
        ConfigError, UnknownNameError: there is no such environment.
    """
    next(world.openings(), None)
    app = create_app(
        lambda: DebugGymEnvironment(world),
        CallToolAction,
        DebugGymObservation,
        env_name=NAME,
        max_concurrent_envs=limit,
        state_cls=DebugGymState,
    )
    return guarded(app, token)


def app_of_environ() -> ASGIApp:
    """The application that the environment describes, for programs that import one: ``server.app:app``.

    Raises:
        ConfigError: it describes none; see ``make_app``.
        UnknownNameError: likewise.
    """
    try:
        world = World.model_validate_json(given) if (given := os.environ.get(WORLD)) else NIGHTMARES
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f'{WORLD} takes settings such as {{"benchmark": "sprouts"}}, but {where}: {first["msg"]}'
        ) from None
    return make_app(world, token=os.environ.get(VARIABLE) or None)


def serve(world: World, host: str, port: int, limit: int, token: str | None) -> None:
    """Serve at ``http://host:port`` until the process is told to stop; see ``make_app``.

    Raises:
        ConfigError: there is no token although other machines can reach the address; no such environment.
        UnknownNameError: likewise.
    """
    demand_secret(host, token, VARIABLE, used="the sandboxes", sent="a bearer token")
    uvicorn.run(make_app(world, limit, token), host=host, port=port, log_level="info", access_log=False)
