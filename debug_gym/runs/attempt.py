"""Play one attempt: an environment, an agent, a trajectory on disk, and a result whatever happens."""

import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from threading import Event
from typing import Any

import gymnasium

from debug_gym.agents.base import play
from debug_gym.env import DebugGymEnv
from debug_gym.episode import Step, Verdict
from debug_gym.errors import ConfigError, DebugGymError
from debug_gym.runs.patch import make_patch
from debug_gym.runs.plan import Attempt, Plan
from debug_gym.runs.store import End, Ending, Result, Start
from debug_gym.runs.writer import EpisodeFile, StorageError

Tests = tuple[int, int] | None
"""Visible tests that passed in the last full run, and how many there are; None before the first run."""


class Stopped(Exception):  # noqa: N818 - like StopIteration, it is no error
    """The run was stopped; this attempt stays unfinished."""


class Watch(gymnasium.Wrapper[str, Any, str, Any]):
    """Tells of the first observation, truncates after a time limit, and raises ``Stopped`` on demand."""

    def __init__(
        self, env: DebugGymEnv, *, limit: float, stop: Event, on_reset: Callable[[str], None]
    ) -> None:
        super().__init__(env)
        self.timed_out = False
        self._world = env
        self._deadline = time.monotonic() + limit
        self._stop, self._on_reset = stop, on_reset

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Begin the episode."""
        first, info = self.env.reset(seed=seed, options=options)
        self._on_reset(first)
        return first, info

    def step(self, action: Any) -> tuple[str, Any, bool, bool, dict[str, Any]]:
        """Take a step, the last one if the time is over."""
        if self._stop.is_set():
            raise Stopped
        text, reward, terminated, truncated, info = self.env.step(action)
        if not terminated and not truncated and time.monotonic() >= self._deadline:
            self.timed_out = truncated = True
            reward = float(reward) + float(self._world.judge().resolved)  # as in every last step
        return text, reward, terminated, truncated, info


class Player:
    """Plays one attempt."""

    def __init__(self, plan: Plan, attempt: Attempt, stop: Event) -> None:
        self._plan, self._attempt, self._stop = plan, attempt, stop
        self._began = time.monotonic()
        self._steps: list[Step] = []

    def play(self, file: EpisodeFile, on_step: Callable[[Step, Tests], None]) -> Result:
        """Play to the end, write every line, and return the result.

        Raises:
            Stopped: the run was stopped before the episode ended.
            ConfigError: the agent cannot be played with this configuration, which all attempts share.
            StorageError: the trajectory cannot be written.
        """
        task, number, seed = self._attempt.task, self._attempt.number, self._attempt.seed
        config = self._plan.config
        start = Start(
            task=task.id,
            benchmark=config.benchmark,
            agent=config.agent,
            model=config.model,
            attempt=number,
            seed=seed,
        )
        try:
            end, why = self._play(file, start, on_step)
        except (Stopped, ConfigError, StorageError):
            raise
        except Exception as error:  # whatever an agent, a tool or a sandbox throws: this attempt, not the run
            if self._stop.is_set():
                raise Stopped from error
            if file.empty:
                file.write(start)
            end, why = self._failed(error), _sentence(error)
        file.write(end)
        return self._result(end, why)

    def _play(
        self, file: EpisodeFile, start: Start, on_step: Callable[[Step, Tests], None]
    ) -> tuple[End, str]:
        task = self._attempt.task
        agent = self._plan.agent()
        with closing(self._plan.environment(task)) as env:

            def record(step: Step) -> None:
                file.write(step)
                self._steps.append(step)
                on_step(step, _tests(env))

            watch = Watch(
                env,
                limit=self._plan.config.time_limit,
                stop=self._stop,
                on_reset=lambda first: file.write(start.model_copy(update={"first_observation": first})),
            )
            verdict = play(
                watch, agent, seed=self._attempt.seed, attempt=self._attempt.number, on_step=record
            ).verdict
            assert verdict is not None  # play always judges
            patch, omitted = self._patch(env, verdict)
        ending = self._ending(watch.timed_out)
        end = End(
            status="resolved" if verdict.resolved else "unresolved",
            ending=ending,
            verdict=verdict,
            patch=patch,
            omitted=omitted,
            seconds=self._elapsed(),
        )
        why = agent.stop_reason if ending == "gave up" else ""
        return end, "; ".join(part for part in (verdict.reason, why) if part)

    def _patch(self, env: DebugGymEnv, verdict: Verdict) -> tuple[str, tuple[str, ...]]:
        """The changes that counted, against a repository that nobody has touched."""
        if not verdict.changed or env.session is None:
            return "", ()
        changes = env.session.sandbox.changes()
        with self._plan.backend.start(self._attempt.task.for_agent()) as pristine:

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
            seconds=self._elapsed(),
        )

    def _result(self, end: End, reason: str) -> Result:
        usage: Counter[str] = Counter()
        for step in self._steps:
            usage.update(step.usage)  # sums floats as well
        verdict = end.verdict or Verdict(resolved=False)
        return Result(
            task=self._attempt.task.id,
            attempt=self._attempt.number,
            seed=self._attempt.seed,
            status=end.status,
            ending=end.ending,
            steps=len(self._steps),
            seconds=end.seconds,
            fail_to_pass=verdict.fail_to_pass,
            pass_to_pass=verdict.pass_to_pass,
            reason=reason,
            usage=dict(usage),
            finished=end.finished,
        )

    def _elapsed(self) -> float:
        return round(time.monotonic() - self._began, 3)


def _tests(env: DebugGymEnv) -> Tests:
    run = env.session.tests if env.session is not None else None
    return (len(run.passed), len(run.outcomes)) if run is not None else None


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, DebugGymError) else f"{type(error).__name__}: {text}"
