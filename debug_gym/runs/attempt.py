"""Play one attempt: an environment, an agent, a trajectory on disk, and a result whatever happens."""

import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from threading import Event
from typing import Any, Protocol

import gymnasium

from debug_gym.agents.base import Agent, play
from debug_gym.env import DebugGymEnv
from debug_gym.episode import Step, Verdict
from debug_gym.errors import ConfigError, DebugGymError
from debug_gym.runs.plan import Attempt, Setup
from debug_gym.store.patch import make_patch
from debug_gym.store.records import End, Ending, Result, Start
from debug_gym.store.writer import StorageError

Tests = tuple[int, int] | None
"""Visible tests that passed in the last full run, and how many there are; None before the first run."""


class Stopped(Exception):  # noqa: N818 - like StopIteration, it is no error
    """The run was stopped; this attempt stays unfinished."""


class Lines(Protocol):
    """Where the lines of an attempt's trajectory go: a file here, or a stream to the machine that has it."""

    empty: bool
    """Nothing was written yet."""

    def write(self, line: Start | Step | End) -> None:
        """Append a line."""


class Watch(gymnasium.Wrapper[str, Any, str, Any]):
    """Tells of the first observation, truncates after a time limit, and raises ``Stopped`` on demand.

    ``turn`` is held while the environment works.
    """

    def __init__(
        self,
        env: DebugGymEnv,
        *,
        limit: float,
        stop: Event,
        turn: AbstractContextManager[Any],
        on_reset: Callable[[str], None],
    ) -> None:
        super().__init__(env)
        self.timed_out = False
        self._world = env
        self._deadline = time.monotonic() + limit
        self._stop, self._turn, self._on_reset = stop, turn, on_reset

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Begin the episode."""
        with self._turn:
            first, info = self.env.reset(seed=seed, options=options)
        self._on_reset(first)
        return first, info

    def step(self, action: Any) -> tuple[str, Any, bool, bool, dict[str, Any]]:
        """Take a step, the last one if the time is over."""
        with self._turn:
            if self._stop.is_set():
                raise Stopped
            text, reward, terminated, truncated, info = self.env.step(action)
            if not terminated and not truncated and time.monotonic() >= self._deadline:
                self.timed_out = truncated = True
                reward = float(reward) + float(self._world.judge().resolved)  # as in every last step
        return text, reward, terminated, truncated, info


class Player:
    """Plays one attempt.

    Args:
        setup: what it takes.
        attempt: which task, which try.
        stop: once it is set, the attempt is given up.
        turn: held while the environment works, and not while the agent thinks; by default, nobody has to
            wait for a turn.
    """

    def __init__(
        self,
        setup: Setup,
        attempt: Attempt,
        stop: Event,
        turn: AbstractContextManager[Any] | None = None,
    ) -> None:
        self._setup, self._attempt, self._stop = setup, attempt, stop
        self._turn = turn or nullcontext()
        self._began = time.monotonic()
        self._steps: list[Step] = []
        self._agent: Agent | None = None

    def play(self, lines: Lines, on_step: Callable[[Step, Tests], None]) -> Result:
        """Play to the end, write every line, and return the result.

        Raises:
            Stopped: the run was stopped before the episode ended.
            ConfigError: the agent cannot be played with this configuration, which all attempts share.
            StorageError: the trajectory cannot be written.
        """
        try:
            end, why = self._play(lines, on_step)
        except (Stopped, ConfigError, StorageError):
            raise
        except Exception as error:  # whatever an agent, a tool or a sandbox throws: this attempt, not the run
            if self._stop.is_set():
                raise Stopped from error
            return self.fail(lines, error)
        lines.write(end)
        return self._result(end, why)

    def fail(self, lines: Lines, error: Exception) -> Result:
        """End the attempt with an error of the infrastructure."""
        if lines.empty:
            lines.write(self._start())
        end = self._failed(error)
        lines.write(end)
        return self._result(end, _sentence(error))

    def _start(self, first_observation: str = "") -> Start:
        config = self._setup.config
        return Start(
            task=self._attempt.task.id,
            benchmark=config.benchmark,
            agent=config.agent,
            model=config.model,
            attempt=self._attempt.number,
            seed=self._attempt.seed,
            first_observation=first_observation,
        )

    def _play(self, lines: Lines, on_step: Callable[[Step, Tests], None]) -> tuple[End, str]:
        number, seed = self._attempt.number, self._attempt.seed
        agent = self._agent = self._setup.agent()
        with closing(self._setup.environment(self._attempt.task)) as env:

            def record(step: Step) -> None:
                lines.write(step)
                self._steps.append(step)
                on_step(step, _tests(env))

            watch = Watch(
                env,
                limit=self._setup.config.time_limit,
                stop=self._stop,
                turn=self._turn,
                on_reset=lambda first: lines.write(self._start(first)),
            )
            played = play(watch, agent, seed=seed, attempt=number, on_step=record)
            verdict = played.verdict
            assert verdict is not None  # play always judges
            patch, omitted = self._patch(env, verdict)
        end = End(
            status="resolved" if verdict.resolved else "unresolved",
            ending=self._ending(watch.timed_out),
            verdict=verdict,
            patch=patch,
            omitted=omitted,
            stop_reason=played.stop_reason,
            usage=played.usage,
            seconds=self._elapsed(),
        )
        return end, "; ".join(part for part in (verdict.reason, played.stop_reason) if part)

    def _patch(self, env: DebugGymEnv, verdict: Verdict) -> tuple[str, tuple[str, ...]]:
        """The changes that counted, against a repository that nobody has touched."""
        if not verdict.changed or env.session is None:
            return "", ()
        changes = env.session.sandbox.changes()
        with self._setup.backend.start(self._attempt.task.for_agent()) as pristine:

            def original(path: str) -> bytes | None:
                try:
                    return pristine.read(path)
                except FileNotFoundError:
                    return None

            return make_patch(changes, verdict.changed, original)

    def _ending(self, timed_out: bool) -> Ending:
        last = self._steps[-1] if self._steps else None
        if last is not None and last.terminated:
            return "terminated"
        if last is not None and last.truncated:
            return "time limit" if timed_out else "step limit"
        return "gave up"

    def _failed(self, error: Exception) -> End:
        known = isinstance(error, DebugGymError)
        return End(
            status="error",
            ending="error",
            error=_sentence(error) if known else "".join(traceback.format_exception(error)),
            usage=self._usage(),
            seconds=self._elapsed(),
        )

    def _result(self, end: End, reason: str) -> Result:
        verdict = end.verdict or Verdict(resolved=False)
        return Result(
            task=self._attempt.task.id,
            attempt=self._attempt.number,
            seed=self._attempt.seed,
            model=self._setup.config.model,
            status=end.status,
            ending=end.ending,
            stop_reason=end.stop_reason,
            steps=len(self._steps),
            seconds=end.seconds,
            fail_to_pass=verdict.fail_to_pass,
            pass_to_pass=verdict.pass_to_pass,
            reason=reason,
            cheating=len(verdict.cheating),
            controls=verdict.controls,
            odds=verdict.odds,
            excluded=len(verdict.excluded),
            usage=end.usage,
            finished=end.finished,
        )

    def _usage(self) -> dict[str, float]:
        """What the steps cost so far, and what led to none."""
        total: Counter[str] = Counter()
        for step in self._steps:
            total.update(step.usage)  # sums floats as well
        if self._agent is not None and self._steps:  # it has begun
            total.update(self._agent.unbilled())
        return dict(total)

    def _elapsed(self) -> float:
        return round(time.monotonic() - self._began, 3)


def _tests(env: DebugGymEnv) -> Tests:
    run = env.session.tests if env.session is not None else None
    return (len(run.passed), len(run.outcomes)) if run is not None else None


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, DebugGymError) else f"{type(error).__name__}: {text}"
