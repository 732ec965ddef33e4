"""The session of one attempt: whoever plays it pushes calls in, and everything else happens here."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from threading import Event
from types import TracebackType
from typing import Any, Protocol, Self, runtime_checkable

import gymnasium

from debug_gym.agents.base import Briefing
from debug_gym.env import Action, DebugGymEnv, fork
from debug_gym.episode import (
    InvalidToolCallError,
    ModelReply,
    Observation,
    Step,
    ToolCall,
    Trajectory,
    bounded,
)
from debug_gym.errors import ConfigError, DebugGymError
from debug_gym.session.attempt import Attempt, Recorder, Unrecorded
from debug_gym.session.lifecycle import Lifecycle
from debug_gym.session.record import Record, Usage, counted_patch
from debug_gym.store.records import End, Result
from debug_gym.store.writer import StorageError

Passing = tuple[int, int] | None
"""Visible tests that passed in the last full run, and how many there are; None before the first run."""


@runtime_checkable
class Interruptible(Protocol):
    """A sandbox whose work under way can be ended from another thread."""

    def interrupt(self) -> None:
        """End it as if its time limit had passed."""


class AttemptSession:
    """One attempt, played by calls from outside, judged and recorded whatever happens.

    ``begin`` starts it and gives the briefing; each ``step`` plays a call. It is over when a step ends the
    episode (``live`` is False then), or by ``finish``. What the infrastructure fails at is raised, and is a
    result of the status ``error``. All methods may be called from any thread; calls are played one after the
    other. As a context manager, a session that is not over at the end is abandoned.

    Args:
        env: where it is played, also inside gymnasium's wrappers. It is closed when the attempt is over.
        attempt: which task, which try; None: the environment draws the task, by ``seed``.
        seed: of the episode, where no attempt is given.
        agent: who plays, for the records.
        model: which model it asks.
        benchmark: where the task is from; None: what the task says.
        recorder: where everything is stored; None: nowhere.
        time_limit: seconds; the step in which they pass is the last one.
        idle: after so many seconds without a call the attempt is judged as it stands; None: never.
        stop: once it is set, the attempt is abandoned at its next call.
        turn: held while the environment works.
        on_step: called with each step and ``tests``, before a last step is judged.
        keep_open: do not close the environment.

    Raises:
        ConfigError: the environment is not one of debug-gym.
    """

    def __init__(
        self,
        env: gymnasium.Env[str, Any],
        attempt: Attempt | None = None,
        *,
        seed: int | None = None,
        agent: str = "agent",
        model: str | None = None,
        benchmark: str | None = None,
        recorder: Recorder | None = None,
        time_limit: float = float("inf"),
        idle: float | None = None,
        stop: Event | None = None,
        turn: AbstractContextManager[Any] | None = None,
        on_step: Callable[[Step, Passing], None] = lambda step, tests: None,
        keep_open: bool = False,
    ) -> None:
        world = env.unwrapped
        if not isinstance(world, DebugGymEnv):
            raise ConfigError(f"an attempt is played in an environment of debug-gym, not in {world!r}")
        self.env: DebugGymEnv = world
        """The live environment: to look at between calls, not to step."""
        self._wrapped = env
        seed = attempt.seed if attempt is not None else seed
        self._record = Record(recorder or Unrecorded(), attempt, seed, agent, model, benchmark)
        self._turn, self._stop = turn or nullcontext(), stop or Event()
        self._lifecycle = Lifecycle(self._record, self._turn, self._stop, self._close)
        self._time_limit, self._idle = time_limit, idle
        self._on_step, self._keep_open = on_step, keep_open

    # -- how it stands -------------------------------------------------------------------------

    @property
    def attempt(self) -> Attempt:
        """Which task, which try. Its task is not for agents.

        Raises:
            DebugGymError: the environment has not drawn a task yet.
        """
        return self._record.known

    @property
    def live(self) -> bool:
        """Calls can be played."""
        return self._lifecycle.live

    @property
    def left(self) -> bool:
        """It was abandoned or stopped: there will be no result."""
        return self._lifecycle.left

    @property
    def result(self) -> Result | None:
        """How the attempt went; None while it goes on, and where there is none."""
        return self._record.result

    @property
    def end(self) -> End | None:
        """The verdict and the patch; None as for ``result``."""
        return self._record.end

    @property
    def steps(self) -> tuple[Step, ...]:
        """What was played so far."""
        return tuple(self._record.steps)

    @property
    def tests(self) -> Passing:
        """Visible tests that passed in the last full run, and how many there are."""
        run = self.env.session.tests if self.env.session is not None else None
        return (len(run.passed), len(run.outcomes)) if run is not None else None

    @property
    def trajectory(self) -> Trajectory:
        """Everything that happened so far. Raises as ``attempt`` does."""
        return self._record.trajectory()

    # -- playing ---------------------------------------------------------------------------------

    def begin(self) -> Briefing:
        """Start the sandbox; gives what an agent is told.

        Raises:
            DebugGymError: the episode cannot begin.
        """
        with self._lifecycle.call():
            attempt = self._record.attempt
            options = {"task": attempt.task.id} if attempt is not None else None
            first, info = self._wrapped.reset(seed=self._record.seed, options=options)
            env, branch = self.env, self.env.branch
            assert branch is not None  # it was reset
            seed = self._record.seed or 0
            self._record.begin(attempt or Attempt(env.task, seed=seed), first)
            self._lifecycle.watch(self._idle, self.finish)
            return Briefing(
                task=branch.session.task,
                tools=env.toolbox.schemas(),
                observation=first,
                info=info,
                fork=branch.fork,
                seed=seed,
                max_steps=env.max_steps,
            )

    def step(
        self,
        action: Action,
        *,
        thought: str = "",
        usage: Usage | None = None,
        replies: Sequence[ModelReply] = (),
    ) -> Step:
        """Play a tool call. If it ends the episode, ``result`` is there when this returns.

        Args:
            action: a ``ToolCall``, its dict or its JSON; what is wrong with it is said in the observation.
            thought: what the player's model wrote beside it.
            usage: what that cost.
            replies: what the player's model said since the step before, this call's reply last.

        Raises:
            EpisodeOverError: the episode has ended before.
            DebugGymError: it ended in this call, by a failure of the infrastructure.
        """
        with self._lifecycle.call():
            began = time.monotonic()
            text, reward, terminated, truncated, info = self._wrapped.step(action)
            reward = float(reward)
            if not terminated and not truncated and self._record.elapsed >= self._time_limit:
                self._record.timed_out = truncated = True
                reward += float(self.env.judge().resolved)  # as in every last step
            step = Step(
                index=len(self._record.steps),
                call=_recorded(action),
                observation=Observation(text=text, data=info["data"], error=info["error"], kind=info["kind"]),
                reward=reward,
                terminated=terminated,
                truncated=truncated,
                seconds=time.monotonic() - began,
                thought=bounded(thought),
                usage=dict(usage or {}),
                replies=tuple(replies),
            )
            self._record.add(step)
            self._on_step(step, self.tests)
            if terminated or truncated:
                self._judge("", {}, ())
            return step

    def finish(
        self, stop_reason: str = "", usage: Usage | None = None, replies: Sequence[ModelReply] = ()
    ) -> Result:
        """End the episode as it stands, and judge it; once it is over, give its result again.

        Args:
            stop_reason: why the player gave up.
            usage: what the player's model has cost since the last step.
            replies: what it has said since then.

        Raises:
            EpisodeOverError: it ended without a result before.
            DebugGymError: it ends now, by a failure of the infrastructure.
        """
        with self._lifecycle.lock:
            if self.result is not None:
                return self.result
            with self._lifecycle.call():
                return self._judge(stop_reason, usage or {}, replies)

    def fail(
        self, error: Exception, usage: Usage | None = None, replies: Sequence[ModelReply] = ()
    ) -> Result:
        """End the attempt by an error that is not the player's doing; once it is over, give its result.

        Raises:
            EpisodeOverError: it ended without a result before.
            DebugGymError: no task was drawn yet, or the result cannot be stored.
        """
        return self._lifecycle.fail(error, usage, replies)

    def fork(self, attempt: Attempt | None = None, recorder: Recorder | None = None) -> "AttemptSession":
        """An independent copy of the attempt as it stands: its steps, its time, a copy of its sandbox.

        Processes that run are not copied (see ``DebugGymEnv.fork``). This attempt goes on, whatever happens.

        Args:
            attempt: which try at the task the copy is; None: the same, for copies that are not stored.
            recorder: where the copy is stored, with the steps so far; None: nowhere.

        Raises:
            EpisodeOverError: there is nothing left to copy.
            DebugGymError: it has not begun, or the copy cannot be made or stored.
        """
        with self._lifecycle.lock:
            self._lifecycle.demand_live()
            if self.env.branch is None:
                raise DebugGymError("there is no episode to copy yet: call begin() first")
            copied = AttemptSession(
                fork(self._wrapped),
                time_limit=self._time_limit,
                idle=self._idle,
                stop=self._stop,
                turn=self._turn,
                on_step=self._on_step,
            )
            try:
                copied._continue(self._record.fork(attempt or self.attempt, recorder or Unrecorded()))
            except StorageError:
                copied.abandon()
                raise
            return copied

    def abandon(self, wait: float | None = None) -> None:
        """Leave without a verdict: the attempt counts as not played. Nothing happens if it is over.

        Args:
            wait: how many seconds at most to wait for a call that another thread has under way; None: as long
                as it takes.
        """
        self._lifecycle.abandon(wait)

    def interrupt(self) -> bool:
        """End the call that another thread has under way as if its time limit had passed.

        Returns False if this sandbox cannot do that.
        """
        branch = self.env.branch  # which another thread may close meanwhile
        sandbox = branch.session.sandbox if branch is not None else None
        if not isinstance(sandbox, Interruptible):
            return False
        sandbox.interrupt()
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abandon()

    # -- inside ------------------------------------------------------------------------------------

    def _continue(self, record: Record) -> None:
        """Go on from where another attempt stood."""
        self._record = record
        self._lifecycle = Lifecycle(record, self._turn, self._stop, self._close)
        self._lifecycle.watch(self._idle, self.finish)

    def _judge(self, stop_reason: str, usage: Usage, replies: Sequence[ModelReply]) -> Result:
        verdict = self.env.judge()
        patch, omitted = counted_patch(self.env, verdict)
        self._lifecycle.demand_wanted()
        record = self._record.judged
        return self._lifecycle.end(
            lambda: record(verdict, patch, omitted, stop_reason=stop_reason, usage=usage, replies=replies)
        )

    def _close(self) -> None:
        if not self._keep_open:
            self._wrapped.close()


def _recorded(action: Action) -> ToolCall:
    """What the records say was called; of what is no call, its text."""
    try:
        return ToolCall.parse(action).for_record()
    except InvalidToolCallError:
        return ToolCall(name="", arguments={"invalid": str(action)}).for_record()
