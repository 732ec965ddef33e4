"""verifiers (https://github.com/PrimeIntellect-ai/verifiers) and prime-rl: a taskset and its harness.

``vf-eval debug-gym-verifiers`` finds it by the module of that name. The harness plays in verifiers' own
process: the model's calls go to a session of the gym, and what its sandbox holds in the end is judged.
Needs verifiers 0.4.
"""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any, Self

import verifiers.v1 as vf
from openai import APIStatusError, AsyncOpenAI
from pydantic import Field, PrivateAttr, model_validator
from verifiers.v1.harnesses.utils.compaction import is_context_overflow

from debug_gym.checks.validate import validate
from debug_gym.env import DEFAULT_TOOLS
from debug_gym.errors import ConfigError, DebugGymError
from debug_gym.integrations.world import World
from debug_gym.session import AttemptSession

__all__ = ["DebugGymEnvironment", "DebugGymHarness", "DebugGymTaskset"]

NAME = "debug-gym-verifiers"
NO_CALL = "That was no tool call. Go on with one; `submit` says that you are done."
REPEATS = 2
"""How many times the gold patch is judged by ``vf-validate``."""

_log = logging.getLogger(__name__)


class DebugGymData(vf.TaskData):
    """A task: ``id`` names it; what solves it is no part of this."""

    world: World


class DebugGymState(vf.State):
    """The session of a rollout, which lives in this process alone."""

    _session: AttemptSession | None = PrivateAttr(default=None)

    def begin(self, data: DebugGymData) -> AttemptSession:
        """The session; it begins at the first call. Raises as ``World.begin`` does."""
        if self._session is None:
            self._session = data.world.begin(data.id or "", "verifiers")
        return self._session

    def abandon(self) -> None:
        """Leave what is not over."""
        if self._session is not None:
            self._session.abandon()


class DebugGymTask(vf.Task[DebugGymData, DebugGymState]):
    """Judged in this process, in sandboxes that the model never touched."""

    @property
    def key(self) -> str:
        """See verifiers."""
        return self.data.id or super().key

    async def setup(self, trace: vf.Trace, runtime: vf.Runtime) -> None:
        """See verifiers."""
        harness = trace.agent.config.harness
        if harness is not None and not isinstance(harness, DebugGymHarnessConfig):
            raise ConfigError(
                f"the harness {harness.id!r} cannot play in the gym's sandboxes: leave it out, "
                f"or name {NAME!r}"
            )

    async def finalize(self, trace: vf.Trace, runtime: vf.Runtime) -> None:
        """Judge what the sandbox holds, whatever ended the rollout."""
        session = await asyncio.to_thread(trace.state.begin, self.data)
        result = await asyncio.to_thread(session.finish)
        steps = session.steps
        trace.info |= {
            "status": result.status,
            "reason": result.reason,
            "patch": session.end.patch if session.end is not None else "",
            "calls": len(steps),
            "wrong_calls": sum(step.observation.error for step in steps),
        }

    @vf.reward
    async def resolved(self, trace: vf.Trace) -> float:
        """1.0 if the judge accepts the fix, else 0.0."""
        return float(trace.info.get("status") == "resolved")

    @vf.metric
    async def calls(self, trace: vf.Trace) -> dict[str, float]:
        """Calls that were played, and how many of them were wrong."""
        return {name: float(trace.info.get(name, 0)) for name in ("calls", "wrong_calls")}

    async def validate(self, runtime: vf.Runtime) -> bool:
        """Whether the untouched task fails and its gold patch is right, for ``vf-validate``."""
        env = self.data.world.environment()
        found = await asyncio.to_thread(validate, env.tasks[self.data.id or ""], env.backend, repeats=REPEATS)
        for problem in found.problems:
            _log.warning("%s: %s", self.data.id, problem)
        return found.sound


class DebugGymConfig(vf.TasksetConfig):
    """``--env.taskset.*``."""

    id: str = NAME
    benchmark: str = "nightmares"
    """The name of a benchmark."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Of the benchmark."""
    tasks: list[str] = Field(default_factory=list)
    """Ids or globs of tasks; none: all."""
    tools: list[str] = Field(default=list(DEFAULT_TOOLS))
    """What the model may call."""
    max_steps: int = Field(default=50, ge=1)
    """Tool calls in an episode."""
    sandbox: str = "namespace"
    """The name of a sandbox."""

    @property
    def world(self) -> World:
        """Where the tasks are played."""
        return World(
            benchmark=self.benchmark,
            options=self.options,
            tasks=tuple(self.tasks),
            tools=tuple(self.tools),
            max_steps=self.max_steps,
            backend=self.sandbox,
        )

    @model_validator(mode="after")
    def _can_be_played(self) -> Self:
        try:
            next(self.world.openings(), None)
        except DebugGymError as error:  # what verifiers' programs show as a sentence
            raise ValueError(str(error)) from None
        return self


class DebugGymTaskset(vf.Taskset[DebugGymTask, DebugGymConfig]):
    """The tasks of a benchmark."""

    def load(self) -> Iterator[DebugGymTask]:
        """See verifiers. Raises as ``World.openings`` does."""
        world = self.config.world
        for name, text in world.openings():
            yield DebugGymTask(DebugGymData(id=name, name=name, prompt=text, world=world), self.config.task)


class DebugGymHarnessConfig(vf.HarnessConfig):
    """``--env.agent.harness.*``."""

    id: str = NAME


class DebugGymHarness(vf.Harness[DebugGymHarnessConfig]):
    """The model calls the gym's tools until the episode is over or it has nothing more to call."""

    APPENDS_SYSTEM_PROMPT = True
    EXECUTES_CODE = False  # not in verifiers' runtime
    NEEDS_CONTAINER = False

    async def launch(  # noqa: PLR0917 - verifiers' own
        self,
        ctx: vf.ModelContext,
        trace: vf.Trace,
        runtime: vf.Runtime,
        endpoint: str,
        secret: str,
        mcp_urls: dict[str, str],
        data: vf.TaskData,
    ) -> vf.ProgramResult:
        """See verifiers."""
        session = await asyncio.to_thread(trace.state.begin, trace.task.data)
        system, prompt = self.resolve_text_prompt(data)
        messages: list[Any] = [{"role": "system", "content": system}] if system else []
        messages.append({"role": "user", "content": prompt})
        async with AsyncOpenAI(base_url=endpoint, api_key=secret, timeout=None) as client:
            try:
                await _play(session, client, ctx.model, messages)
            except APIStatusError as error:  # the model has read all that it can
                if not is_context_overflow(error):
                    raise
        return vf.ProgramResult(exit_code=0, stdout="", stderr="")

    async def cleanup(self, trace: vf.Trace, runtime: vf.Runtime) -> None:
        """See verifiers."""
        await asyncio.to_thread(trace.state.abandon)


async def _play(session: AttemptSession, client: AsyncOpenAI, model: str, messages: list[Any]) -> None:
    tools: list[Any] = session.env.toolbox.schemas()
    told = False
    while session.live:
        completion = await client.chat.completions.create(model=model, messages=messages, tools=tools)
        message = completion.choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        calls: list[Any] = message.tool_calls or []
        if not calls and told:
            return
        if not calls:
            messages.append({"role": "user", "content": NO_CALL})
        told = not calls
        for call in calls:
            text = "The episode is over."
            if session.live:
                action = {"name": call.function.name, "arguments": call.function.arguments}
                step = await asyncio.to_thread(session.step, action, thought=message.content or "")
                text = step.observation.text
            messages.append({"role": "tool", "tool_call_id": call.id, "content": text})


class DebugGymEnvironmentConfig(vf.EnvConfig):
    """``--env.*``: verifiers' own runtime holds nothing, so that it is the cheapest."""

    agent: vf.AgentConfig = vf.AgentConfig(runtime=vf.SubprocessConfig())


class DebugGymEnvironment(vf.Env[DebugGymEnvironmentConfig]):
    """One agent and one task."""

    async def run(self, task: vf.Task, agents: vf.Agents) -> None:
        """See verifiers."""
        await agents.agent.run(task)
