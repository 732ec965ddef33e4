"""What is known of an attempt, and what is stored of it: the lines of its trajectory, and its result."""

import time
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from debug_gym.env import DebugGymEnv
from debug_gym.episode import ModelReply, Step, Trajectory, Verdict
from debug_gym.errors import DebugGymError
from debug_gym.session.attempt import Attempt, Recorder
from debug_gym.store.patch import make_patch
from debug_gym.store.records import End, Ending, Result, Start

Usage = Mapping[str, float]
"""What models cost, in the terms of ``Step.usage``."""


@dataclass
class Record:
    """One attempt, from its first line to its result. Not thread-safe: its session is."""

    recorder: Recorder
    attempt: Attempt | None
    """None until the environment has drawn the task."""
    seed: int | None
    agent: str
    model: str | None = None
    benchmark: str | None = None
    """None: what the task says."""
    steps: list[Step] = field(default_factory=list)
    first_observation: str = ""
    end: End | None = None
    result: Result | None = None
    timed_out: bool = False
    """Its last step was the last one because of the time limit."""
    _began: float = field(default_factory=time.monotonic)

    @property
    def elapsed(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self._began

    def begin(self, attempt: Attempt, first_observation: str) -> None:
        """The first line."""
        self.attempt, self.first_observation = attempt, first_observation
        self.recorder.write(
            Start(
                task=attempt.task.id,
                benchmark=self.benchmark or attempt.task.benchmark,
                agent=self.agent,
                model=self.model,
                attempt=attempt.number,
                seed=attempt.seed,
                first_observation=first_observation,
            )
        )

    def fork(self, attempt: Attempt, recorder: Recorder) -> "Record":
        """A copy that goes on by itself as another try at the task; all lines so far are written anew."""
        forked = replace(self, recorder=recorder, steps=[])
        forked.begin(attempt, self.first_observation)
        for step in self.steps:
            forked.add(step)
        return forked

    def add(self, step: Step) -> None:
        """A step."""
        self.recorder.write(step)
        self.steps.append(step)

    def judged(
        self,
        verdict: Verdict,
        patch: str,
        omitted: tuple[str, ...],
        *,
        stop_reason: str,
        usage: Usage,
        replies: Sequence[ModelReply],
    ) -> Result:
        """The last line and the result of an attempt that was played to its end."""
        end = End(
            status="resolved" if verdict.resolved else "unresolved",
            ending=self._ending(),
            verdict=verdict,
            patch=patch,
            omitted=omitted,
            stop_reason=stop_reason,
            usage=self._total(usage),
            replies=tuple(replies),
            seconds=round(self.elapsed, 3),
        )
        return self._finish(end)

    @property
    def known(self) -> Attempt:
        """Which task, which try.

        Raises:
            DebugGymError: the environment has not drawn a task yet.
        """
        if self.attempt is None:
            raise DebugGymError("no task was drawn yet: call begin() first")
        return self.attempt

    def failed(self, error: Exception, usage: Usage, replies: Sequence[ModelReply]) -> Result:
        """The last line and the result of an attempt that the infrastructure broke off."""
        attempt = self.known
        if self.recorder.empty:
            self.begin(attempt, "")
        known = isinstance(error, DebugGymError)
        end = End(
            status="error",
            ending="error",
            error=sentence(error) if known else "".join(traceback.format_exception(error)),
            usage=self._total(usage),
            replies=tuple(replies),
            seconds=round(self.elapsed, 3),
        )
        return self._finish(end, sentence(error))

    def trajectory(self) -> Trajectory:
        """Everything that happened so far. Raises as ``known`` does."""
        attempt = self.known
        return Trajectory(
            task=attempt.task.id,
            benchmark=self.benchmark or attempt.task.benchmark,
            agent=self.agent,
            attempt=attempt.number,
            seed=self.seed,
            first_observation=self.first_observation,
            steps=tuple(self.steps),
            stop_reason=self.end.stop_reason if self.end else "",
            usage=self.end.usage if self.end else self._total({}),
            replies=self.end.replies if self.end else (),
            verdict=self.end.verdict if self.end else None,
        )

    def _ending(self) -> Ending:
        last = self.steps[-1] if self.steps else None
        if last is not None and last.terminated:
            return "terminated"
        if last is not None and last.truncated:
            return "time limit" if self.timed_out else "step limit"
        return "gave up"

    def _total(self, more: Usage) -> dict[str, float]:
        """What the steps cost, and what led to none."""
        total: Counter[str] = Counter()
        for usage in (*(step.usage for step in self.steps), more):
            total.update(usage)  # sums floats as well
        return dict(total)

    def _finish(self, end: End, reason: str | None = None) -> Result:
        assert self.attempt is not None  # the first line was written
        self.recorder.write(end)
        result = result_of(
            task=self.attempt.task.id,
            attempt=self.attempt.number,
            seed=self.attempt.seed,
            model=self.model,
            steps=self.steps,
            end=end,
            reason=reason,
        )
        self.recorder.add(result)
        self.end, self.result = end, result
        return result


def result_of(
    *,
    task: str,
    attempt: int,
    seed: int,
    model: str | None,
    steps: Sequence[Step],
    end: End,
    reason: str | None = None,
) -> Result:
    """What is told of an attempt that is over, all of it taken from its trajectory.

    Args:
        task: its id.
        attempt: its number.
        seed: that it was played with.
        model: that its agent asked.
        steps: all of them.
        end: how it ended.
        reason: why the infrastructure failed; None: it did not, and the verdict tells.
    """
    verdict = end.verdict or Verdict(resolved=False)
    replies = [*(reply for step in steps for reply in step.unplayed), *end.replies]
    return Result(
        task=task,
        attempt=attempt,
        seed=seed,
        model=model,
        status=end.status,
        ending=end.ending,
        stop_reason=end.stop_reason,
        steps=len(steps),
        seconds=end.seconds,
        fail_to_pass=verdict.fail_to_pass,
        pass_to_pass=verdict.pass_to_pass,
        reason="; ".join(filter(None, (verdict.reason, end.stop_reason))) if reason is None else reason,
        open_ended=verdict.open_ended,
        cheating=len(verdict.cheating),
        harness=verdict.harness.resolved if verdict.harness else None,
        controls=verdict.controls,
        odds=verdict.odds,
        excluded=len(verdict.excluded),
        omitted=len(end.omitted),
        unplayed=sum(reply.purpose == "call" for reply in replies),
        usage=end.usage,
        finished=end.finished,
    )


def sentence(error: Exception) -> str:
    """An error in one line, with its kind where it is none of debug-gym's own."""
    text = " ".join(str(error).split())
    return text if isinstance(error, DebugGymError) else f"{type(error).__name__}: {text}"


_EXECUTABLE = 'while IFS= read -r -d "" path; do [ -x "$path" ] && printf "%s\\0" "$path"; done'
"""Of the paths that come in, those of executable files go out."""


def counted_patch(env: DebugGymEnv, verdict: Verdict) -> tuple[str, tuple[str, ...]]:
    """The changes that counted, against a repository that nobody has touched; see ``make_patch``."""
    if not verdict.changed or env.session is None:
        return "", ()
    changes = env.session.sandbox.changes()
    with env.backend.start(env.task.for_agent()) as pristine:

        def original(path: str) -> bytes | None:
            try:
                return pristine.read(path)
            except FileNotFoundError:
                return None

        known = [path for path in verdict.changed if path in changes.files]
        found = pristine.exec(
            ["bash", "-c", _EXECUTABLE], stdin="".join(f"{path}\0" for path in known).encode()
        )
        return make_patch(changes, verdict.changed, original, set(found.output.split("\0")))
