"""Attempts that somebody outside plays call by call: a person at a terminal, a program behind MCP."""

from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Protocol, runtime_checkable

from debug_gym.agents.base import Agent, Briefing, Decision
from debug_gym.env import DebugGymEnv
from debug_gym.episode import Observation, Step, ToolCall
from debug_gym.errors import DebugGymError
from debug_gym.runs.attempt import Player, Stopped, Tests
from debug_gym.runs.plan import Attempt, Plan, Setup
from debug_gym.store.records import End, Result
from debug_gym.store.writer import RunWriter
from debug_gym.task import Task


class EpisodeOverError(DebugGymError):
    """The episode has ended: no further call can be played in it."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the episode is over: {why}")


@runtime_checkable
class Interruptible(Protocol):
    """A sandbox whose work under way can be ended from another thread."""

    def interrupt(self) -> None:
        """End it as if its time limit had passed."""


class _Relay(Agent):
    """Plays the calls that another thread hands over."""

    def __init__(self, name: str, idle: float) -> None:
        self.name, self._idle = name, idle
        self.calls: SimpleQueue[ToolCall | None] = SimpleQueue()
        self.ready: SimpleQueue[Briefing | Step | Result | BaseException] = SimpleQueue()
        self.env: DebugGymEnv | None = None

    def start(self, briefing: Briefing) -> None:
        """Hand the briefing over."""
        self.ready.put(briefing)

    def act(self, observation: Observation) -> Decision | None:
        """Wait for the next call; None ends the episode."""
        try:
            call = self.calls.get(timeout=self._idle)
        except Empty:
            self.stop_reason = f"there was no call for {self._idle:g} s"
            return None
        return Decision(call) if call is not None else None


@dataclass(frozen=True)
class _RelayedSetup(Setup):
    relay: _Relay

    def agent(self) -> Agent:
        return self.relay

    def environment(self, task: Task) -> DebugGymEnv:
        self.relay.env = super().environment(task)
        return self.relay.env


class DrivenAttempt:
    """One attempt at a task, played and stored like every other, whose calls come from its owner.

    Args:
        plan: the run.
        writer: its folder, held open by the caller.
        attempt: which task, which try.
        idle: after so many seconds without a call the attempt ends and is judged as it stands.

    Raises:
        DebugGymError: the episode cannot begin.
    """

    def __init__(self, plan: Plan, writer: RunWriter, attempt: Attempt, *, idle: float = 3600.0) -> None:
        self.attempt = attempt
        self.result: Result | None = None
        """How the attempt went; None while it goes on."""
        self.tests: Tests = None
        """Visible tests that passed in the last full run, and how many there are."""
        self._writer = writer
        self._broken = ""
        """What ended it without a result."""
        self._stop = Event()
        self._relay = _Relay(plan.config.agent, idle)
        relayed = _RelayedSetup(plan.config, plan.backend, self._relay)
        self._player = Player(relayed, attempt, self._stop)
        self._thread = Thread(target=self._play, name=f"driven-{attempt.task.id}", daemon=True)
        self._thread.start()
        first = self._relay.ready.get()
        if isinstance(first, Result):
            self._thread.join()
            raise DebugGymError(first.reason)
        if isinstance(first, BaseException):
            raise first
        assert isinstance(first, Briefing)
        self.briefing = first
        """What an agent would be given."""

    @property
    def env(self) -> DebugGymEnv:
        """The live environment: to look at between calls, not to step."""
        assert self._relay.env is not None  # made before the briefing
        return self._relay.env

    @property
    def live(self) -> bool:
        """Calls can be played."""
        return self.result is None and not self._broken

    @property
    def end(self) -> End | None:
        """How it ended: the verdict and the patch; None while it goes on."""
        return self._writer.run.end(*self.attempt.key) if self.result else None

    def call(self, call: ToolCall) -> Step:
        """Play a call. If it ends the episode, ``result`` is there when this returns.

        Raises:
            EpisodeOverError: the episode has ended before.
            DebugGymError: it ended in this call, by a failure of the infrastructure.
        """
        if not self.live:
            raise self._over()
        self._relay.calls.put(call)
        step = self._relay.ready.get()
        if isinstance(step, Result):  # it ended while this call was on its way
            raise self._over()
        if not isinstance(step, Step):
            raise step if isinstance(step, BaseException) else AssertionError(step)
        if step.terminated or step.truncated:
            self._await_result()
        return step

    def finish(self) -> Result:
        """End the episode as it stands, and judge it.

        Raises:
            EpisodeOverError: an error broke it off before.
            DebugGymError: it ends in one now.
        """
        if self._broken:
            raise self._over()
        if self.result is None:
            self._relay.calls.put(None)
            self._await_result()
        assert self.result is not None
        return self.result

    def abandon(self, wait: float | None = None) -> None:
        """End the episode without a verdict: the attempt counts as not played.

        Args:
            wait: how many seconds at most to wait for a call that another thread has under way; None: as long
                as it takes.
        """
        self._stop.set()
        self._relay.calls.put(ToolCall(name="submit"))  # it raises Stopped in place of being played
        self._thread.join(wait)

    def interrupt(self) -> bool:
        """End the call that another thread has under way as if its time limit had passed.

        Returns False if this sandbox cannot do that.
        """
        sandbox = self.env.session.sandbox if self.env.session is not None else None
        if not isinstance(sandbox, Interruptible):
            return False
        sandbox.interrupt()
        return True

    def _over(self) -> EpisodeOverError:
        return EpisodeOverError((self.result.reason or self.result.status) if self.result else self._broken)

    def _await_result(self) -> None:
        last = self._relay.ready.get()
        if isinstance(last, BaseException):
            raise last
        self._thread.join()

    def _play(self) -> None:
        """The thread: play and store the attempt like a worker of a run."""
        try:
            file = self._writer.episode(*self.attempt.key)
            try:
                result = self._player.play(file, self._on_step)
            finally:
                file.close()
            self._writer.add(result)
        except Stopped as stopped:
            self._broken = "it was left"
            self._relay.ready.put(stopped)
        except Exception as error:  # a thread's boundary: the caller's thread raises it
            self._broken = f"an error broke it off: {error}"
            self._relay.ready.put(error)
        else:
            self.result = result  # also where nobody waits for it, since the time without a call was over
            self._relay.ready.put(result)

    def _on_step(self, step: Step, tests: Tests) -> None:
        self.tests = tests
        self._relay.ready.put(step)
