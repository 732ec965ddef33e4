"""Episodes that clients hold by name and lease: begun, played, forked and ended from any thread."""

import logging
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal

from gymnasium.utils import seeding

from debug_gym.episode import Step
from debug_gym.errors import DebugGymError, UnknownNameError
from debug_gym.runs.plan import Plan
from debug_gym.session import Attempt, AttemptSession
from debug_gym.session.attempt import Recorder
from debug_gym.store.writer import RunWriter

_log = logging.getLogger(__name__)


class FullError(DebugGymError):
    """As many sessions are held as this server allows."""


class ClosedError(DebugGymError):
    """The server is about to stop."""


class BusyError(DebugGymError):
    """Another call of the same session is under way."""


class OutOfTurnError(DebugGymError):
    """A step with a number that is not the next one."""


class UnknownSessionError(DebugGymError, LookupError):
    """There is no session of that name, or no longer."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no session {name!r}: it was closed, or its lease has expired; open one")


@dataclass
class _Held:
    session: AttemptSession
    info: dict[str, Any]
    """Of the reset or of the last step."""
    until: float
    """When the lease expires, by the monotonic clock."""
    observation: str
    lock: Lock = field(default_factory=Lock)
    reply: dict[str, Any] | None = None
    """What the last step gave."""
    owes_place: bool = False
    """It was closed while a call was under way, whose end gives its place back."""


class Sessions:
    """The live episodes of a server. What a method returns can be sent as JSON.

    Args:
        plan: which tasks, tools and sandbox.
        writer: where finished episodes are kept as a run; None: nowhere.
        limit: how many sessions may be held at the same time.
        lease: seconds after which a session that nobody calls is closed, without a verdict.
        reward: ``sparse`` or ``dense``, as in ``DebugGymEnv``.
    """

    def __init__(
        self,
        plan: Plan,
        writer: RunWriter | None = None,
        *,
        limit: int = 256,
        lease: float = 600.0,
        reward: Literal["sparse", "dense"] = "sparse",
    ) -> None:
        self.plan, self.limit, self.lease, self.reward = plan, limit, lease, reward
        self._writer = writer
        self._held: dict[str, _Held] = {}
        self._taken = 0
        """Places that are taken: sessions that are held, and those that are being made."""
        self._lock = Lock()
        self._closed = False
        self._numbers: Counter[str] = Counter()
        """Attempts at each task so far."""
        for result in writer.run.results() if writer is not None else ():
            self._numbers[result.task] = max(self._numbers[result.task], result.attempt + 1)
        environment = plan.environment(plan.tasks.first)
        self.tools: list[dict[str, Any]] = environment.toolbox.schemas()
        """In the form of OpenAI's function calling."""
        environment.close()

    @property
    def live(self) -> int:
        """How many places are taken."""
        return self._taken

    def open(self, task: str | None = None, seed: int | None = None) -> dict[str, Any]:
        """Begin an episode.

        Args:
            task: its id; None: one is drawn.
            seed: decides which, as ``DebugGymEnv.reset`` would with the same tasks; None: any.

        Raises:
            UnknownNameError: there is no such task.
            FullError: there is no place.
            DebugGymError: the episode cannot begin.
        """
        with self._place():
            return self._hold(self._begin(task, seed))

    def reset(self, name: str, task: str | None = None, seed: int | None = None) -> dict[str, Any]:
        """Leave the episode of a session, and begin another. Raises as ``open`` and ``step``."""
        with self._turn(name) as held:
            fresh = self._begin(task, seed)
            with self._lock:
                here = self._held.get(name) is held
                left = held.session if here else fresh.session
                if here:
                    held.session, held.info, held.observation = fresh.session, fresh.info, fresh.observation
                    held.reply = None
            left.abandon()
            if not here:  # it was closed meanwhile
                raise UnknownSessionError(name)
            return self._told(name, held)

    def step(
        self, name: str, action: dict[str, Any] | str, number: int | None = None, thought: str = ""
    ) -> dict[str, Any]:
        """Play a tool call.

        Args:
            name: of the session.
            action: as for ``DebugGymEnv.step``; what is wrong with it is said in the observation.
            number: which step this is, from 0. A call with the number of the last step is not played again:
                it gives the same reply, for a client that has lost it.
            thought: what the model wrote beside the call.

        Raises:
            UnknownSessionError: there is no such session.
            BusyError: another of its calls is under way.
            OutOfTurnError: it is another step's turn.
            EpisodeOverError: the episode has ended.
            DebugGymError: it ended in this call, by a failure of the infrastructure.
        """
        with self._turn(name) as held:
            due = len(held.session.steps)
            if held.reply is not None and number == due - 1:
                return held.reply
            if number not in {None, due}:
                raise OutOfTurnError(f"the next step of this session is number {due}, not {number}")
            step = held.session.step(action, thought=thought)
            held.info = _info(held.session, step)
            held.observation = step.observation.text
            held.reply = {
                "number": step.index,
                "observation": step.observation.text,
                "reward": step.reward,
                "terminated": step.terminated,
                "truncated": step.truncated,
                "info": held.info,
            }
            return held.reply

    def finish(self, name: str) -> dict[str, Any]:
        """Judge the episode as it stands; once it is over, give the same again. Raises as ``step``."""
        with self._turn(name) as held:
            held.session.finish()
            return self._told(name, held)

    def fork(self, name: str) -> dict[str, Any]:
        """A session of its own that goes on from where this one stands. Raises as ``open`` and ``step``."""
        with self._turn(name) as held, self._place():
            task, seed = held.session.attempt.task, held.session.attempt.seed
            attempt = self._attempt(task.id, seed)
            forked = held.session.fork(attempt, self._recorder(attempt))
            return self._hold(_Held(forked, held.info, 0.0, held.observation, reply=held.reply))

    def look(self, name: str) -> dict[str, Any]:
        """How a session stands. It does not wait for a call under way, and renews the lease."""
        held = self._find(name)
        self._renew(held)
        return self._told(name, held)

    def close(self, name: str) -> None:
        """Let go of a session; an episode that is not over gets no verdict.

        A call under way is broken off, and is not waited for: its place is free once it has ended. A verdict
        under way is made to its end, but not kept.

        Raises:
            UnknownSessionError: there is no such session.
        """
        self._close(name, 0.0)

    def sweep(self) -> list[str]:
        """Close the sessions whose lease has expired; gives their names. A long call is no idleness."""
        now = time.monotonic()
        stale = [name for name, held in list(self._held.items()) if held.until < now]
        closed = []
        for name in stale:
            held = self._held.get(name)
            if held is not None and held.lock.acquire(blocking=False):
                try:
                    if held.until < now:
                        self._close_quietly(name)
                        closed.append(name)
                finally:
                    self._release(held)
        return closed

    def close_all(self) -> None:
        """Let go of all, and wait for their calls; none can be opened any more."""
        with self._lock:
            self._closed, names = True, list(self._held)
        for name in names:
            self._close_quietly(name, None)

    def _close_quietly(self, name: str, wait: float | None = 0.0) -> None:
        try:
            self._close(name, wait)
        except UnknownSessionError:
            pass  # its client has closed it meanwhile
        except Exception:
            _log.exception("the session %s was closed with an error", name)

    def _close(self, name: str, wait: float | None) -> None:
        """Let go of a session, and wait so many seconds for a call under way; None: as long as it takes."""
        with self._lock:
            held = self._held.pop(name, None)
        if held is None:
            raise UnknownSessionError(name)
        try:
            _leave(held.session, wait)
        finally:
            with self._lock:
                if held.lock.acquire(blocking=False):
                    held.lock.release()
                    self._taken -= 1
                else:
                    held.owes_place = True

    def _release(self, held: _Held) -> None:
        """The call that has the turn of a session is over."""
        with self._lock:
            held.lock.release()
            self._taken -= held.owes_place
            held.owes_place = False

    # -- inside ----------------------------------------------------------------------------------

    def _begin(self, task: str | None, seed: int | None) -> _Held:
        attempt = self._attempt(self._draw(task, seed), seed)
        session = self.plan.session(attempt, self._recorder(attempt), reward=self.reward)
        try:
            briefing = session.begin()
        except BaseException:
            session.abandon()
            raise
        info = {key: value for key, value in briefing.info.items() if key != "tools"}
        return _Held(session, info, 0.0, briefing.observation)

    def _draw(self, task: str | None, seed: int | None) -> str:
        ids = self.plan.tasks.ids
        if task is None:
            numbers, _ = seeding.np_random(seed)
            return ids[int(numbers.integers(len(ids)))]
        if task not in ids:
            raise UnknownNameError("task", task, ids)
        return task

    def _attempt(self, task: str, seed: int | None) -> Attempt:
        with self._lock:
            number = self._numbers[task]
            self._numbers[task] += 1
        return Attempt(self.plan.tasks[task], number, seed or 0)

    def _recorder(self, attempt: Attempt) -> Recorder | None:
        return self._writer.episode(*attempt.key) if self._writer is not None else None

    def _hold(self, held: _Held) -> dict[str, Any]:
        name = f"{held.session.attempt.task.id}-{secrets.token_hex(8)}"
        self._renew(held)
        told = self._told(name, held)
        with self._lock:
            if not self._closed:
                self._held[name] = held
                return told
        _leave(held.session, None)
        raise ClosedError("this server is closing")

    def _told(self, name: str, held: _Held) -> dict[str, Any]:
        session = held.session
        told: dict[str, Any] = {
            "session": name,
            "lease": self.lease,
            "task": session.attempt.task.id,
            "steps": len(session.steps),
            "live": session.live,
            "observation": held.observation,
            "info": held.info,
        }
        if session.result is not None:
            told["result"] = session.result.model_dump(mode="json")
            told["patch"] = session.end.patch if session.end is not None else ""
        return told

    def _find(self, name: str) -> _Held:
        held = self._held.get(name)
        if held is None:
            raise UnknownSessionError(name)
        return held

    def _renew(self, held: _Held) -> None:
        held.until = time.monotonic() + self.lease

    @contextmanager
    def _turn(self, name: str) -> Iterator[_Held]:
        held = self._find(name)
        if not held.lock.acquire(blocking=False):
            raise BusyError("another call of this session is under way: wait for its reply")
        try:
            if self._held.get(name) is not held:
                raise UnknownSessionError(name)
            self._renew(held)
            yield held
        finally:
            self._renew(held)
            self._release(held)

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Take a place; it is kept unless the block fails."""
        with self._lock:
            if self._taken >= self.limit:
                raise FullError(f"{self.limit} sessions are open, which is this server's limit: close one")
            self._taken += 1
        try:
            yield
        except BaseException:
            self._give_back()
            raise

    def _give_back(self) -> None:
        with self._lock:
            self._taken -= 1


def _info(session: AttemptSession, step: Step) -> dict[str, Any]:
    """What ``DebugGymEnv.step`` gives as ``info``, and the patch once the episode is over."""
    info: dict[str, Any] = {
        "task": session.attempt.task.id,
        "step": step.index + 1,
        "data": step.observation.data,
        "error": step.observation.error,
        "kind": step.observation.kind,
    }
    if session.end is not None and session.end.verdict is not None:
        info["resolved"] = session.end.verdict.resolved
        info["verdict"] = session.end.verdict.model_dump(mode="json", exclude={"seconds", "output"})
        info["patch"] = session.end.patch
    return info


def _leave(session: AttemptSession, wait: float | None) -> None:
    try:
        session.interrupt()
    finally:
        session.abandon(wait)
