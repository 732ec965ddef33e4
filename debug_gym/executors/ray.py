"""Runs on many machines through Ray. Needs the extra ``ray``.

Each actor is a ``Worker`` that takes one CPU of whatever machine has one, and plays attempts there. Nothing
is shared: repositories go out as archives, lines come home one by one, and only the run's own process writes
them. An actor that dies is replaced, and its attempts are played anew elsewhere; Ray itself repeats nothing,
so that no attempt is played twice to its end.
"""

import logging
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any

from debug_gym.episode import Step
from debug_gym.errors import ConfigError, MissingExtraError
from debug_gym.executors.base import LOSSES, LostError, episodes_per_cpu
from debug_gym.executors.transfer import Sender
from debug_gym.executors.worker import Check, Message, Worker, receive
from debug_gym.session import AbandonedError, Attempt, AttemptConfig, Passing, Recorder
from debug_gym.store.records import Result, versions

try:
    import ray
    from ray.exceptions import RayError
except ImportError:
    raise MissingExtraError("ray", "ray") from None

POLL = 0.2
"""Seconds between two looks at whether the run was stopped."""


@dataclass
class _Slot:
    """A place for an actor, which is started when somebody wants to play there, and again after a death."""

    lock: Lock = field(default_factory=Lock)
    actor: Any = None
    check: Any = None
    """Reference to what the actor says of its machine; None once it was read."""
    deaths: int = 0
    """Actors in a row that died before they said anything."""


class RayExecutor:
    """Workers on the machines of a Ray cluster.

    Args:
        config: who plays, and how.
        address: ``auto``, ``local``, or that of a cluster.
        stop: once it is set, attempts are abandoned.
        workers: attempts at the same time; None: as many as keep the cluster's CPUs busy.

    Raises:
        ConfigError: there is no cluster at this address.
    """

    def __init__(self, config: AttemptConfig, address: str, stop: Event, workers: int | None = None) -> None:
        self._ours = not ray.is_initialized()
        if self._ours:
            _join(address)
        self._config = config.model_dump_json(include=set(AttemptConfig.model_fields))
        self._stop = stop
        self._per_actor = episodes_per_cpu(config)
        self.workers = workers or max(1, int(ray.cluster_resources().get("CPU", 1))) * self._per_actor
        self._slots = [_Slot() for _ in range(-(-self.workers // self._per_actor))]
        self._sender = Sender()

    def ready(self, worker: int) -> bool:
        """Whether the worker's actor lives; one is started if there is none. See ``Executor.ready``."""
        slot = self._slots[worker // self._per_actor]
        with slot.lock:
            if slot.actor is None:
                slot.actor = self._start()
                slot.check = slot.actor.check.remote()
            if slot.check is None:
                return True
            if not ray.wait([slot.check], timeout=POLL)[0]:
                return False
            try:
                _demand_able(ray.get(slot.check))
            except RayError as error:
                slot.actor, slot.deaths = None, slot.deaths + 1
                if slot.deaths == LOSSES:
                    raise ConfigError(f"workers die before they can play: {_brief(error)}") from error
                return False
            slot.check, slot.deaths = None, 0
            return True

    def play(
        self, worker: int, attempt: Attempt, recorder: Recorder, on_step: Callable[[Step, Passing], None]
    ) -> Result:
        """See ``Executor.play``."""
        slot = self._slots[worker // self._per_actor]
        actor = slot.actor
        digest = self._sender.pack(attempt.task)
        try:
            if actor is None:
                raise LostError("its worker is gone")
            if not self._await(actor.has.remote(digest)):
                self._await(actor.take.remote(digest, self._sender.read(digest)))
            return receive(self._stream(actor.play.remote(attempt, digest)), recorder, on_step)
        except RayError as error:
            self._discard(slot, actor)
            raise LostError(_brief(error)) from error

    def close(self) -> None:
        """End all actors; whatever they play ends with them."""
        for slot in self._slots:
            if slot.actor is not None:
                ray.kill(slot.actor)
        self._sender.close()
        if self._ours:
            ray.shutdown()

    def _start(self) -> Any:
        """A new actor, as soon as the cluster has a CPU for it."""
        actor = ray.remote(Worker).options(num_cpus=1, max_concurrency=self._per_actor + 2, max_restarts=0)
        return actor.remote(self._config)

    def _discard(self, slot: _Slot, actor: Any) -> None:
        """Make sure that an actor is dead, unless somebody else did."""
        with slot.lock:
            if slot.actor is actor:
                slot.actor = None
                ray.kill(actor)

    def _await(self, reference: Any) -> Any:
        while not ray.wait([reference], timeout=POLL)[0]:
            self._check_stop()
        return ray.get(reference)

    def _stream(self, references: Any) -> Iterator[Message]:
        """What a generator on another machine yields."""
        while True:
            while not ray.wait([references], timeout=POLL)[0]:
                self._check_stop()
            self._check_stop()
            try:
                reference = next(references)
            except StopIteration:
                return
            yield ray.get(reference)

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise AbandonedError


def _demand_able(check: Check) -> None:
    here = versions()["debug_gym"]
    if check.version != here:
        raise ConfigError(
            f"a machine of the cluster has debug-gym {check.version}, here is {here}: "
            "install the same version everywhere"
        )
    if check.problem:
        raise ConfigError(f"a machine of the cluster cannot play: {check.problem}")


def _brief(error: Exception) -> str:
    """Of the many lines that Ray writes, the first."""
    return str(error).strip().splitlines()[0]


def _join(address: str) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a run tells nobody about itself
    own = {"include_dashboard": False} if address == "local" else {}
    try:
        _check_address(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **own)
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"there is no Ray cluster at {address!r} ({_brief(error)}): "
            "run  ray start --head  first, or give --ray local"
        ) from None


def _check_address(address: str) -> None:
    """See whether anybody listens at ``HOST:PORT``: Ray itself goes on trying for minutes."""
    host, colon, port = address.rpartition(":")
    if colon:
        socket.create_connection((host, int(port)), timeout=10).close()
