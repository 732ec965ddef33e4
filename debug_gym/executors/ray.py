"""Runs on many machines through Ray. Needs the extra ``ray``.

Each station is an actor that takes one CPU of whatever machine has one, and plays attempts there. Nothing is
shared: tasks go out as parcels, lines come home one by one, and only the run's own process writes them. A
station that dies is replaced, and its attempts are played anew elsewhere; Ray itself repeats nothing, so that
no attempt is played twice to its end.
"""

import logging
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from threading import Event, Lock
from typing import Any

from debug_gym.episode import Step
from debug_gym.errors import ConfigError, MissingExtraError
from debug_gym.executors.base import LOSSES, LostError, episodes_per_cpu
from debug_gym.executors.transfer import Sender
from debug_gym.executors.worker import Failure, Greeting, Message, Station
from debug_gym.runs.attempt import Lines, Stopped, Tests
from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import Attempt
from debug_gym.store.records import Result

try:
    import ray
    from ray.exceptions import RayError
except ImportError:
    raise MissingExtraError("ray", "ray") from None

POLL = 0.2
"""Seconds between two looks at whether the run was stopped."""


@dataclass
class _Post:
    """The place of a station: it is manned when somebody wants to play there, and again after a death."""

    lock: Lock = field(default_factory=Lock)
    actor: Any = None
    greeting: Any = None
    """Reference to what the actor says first; None once it was heard."""
    deaths: int = 0
    """Stations in a row that died before they said anything."""


class RayExecutor:
    """Stations on the machines of a Ray cluster."""

    def __init__(self, config: RunConfig, address: str, stop: Event) -> None:
        """Join the cluster.

        Raises:
            ConfigError: there is none at this address.
        """
        self._ours = not ray.is_initialized()
        if self._ours:
            _join(address)
        self._config, self._stop = config.model_dump_json(), stop
        self._seats = episodes_per_cpu(config)
        self.workers = config.workers or max(1, int(ray.cluster_resources().get("CPU", 1))) * self._seats
        self._posts = [_Post() for _ in range(-(-self.workers // self._seats))]
        self._sender = Sender()

    def ready(self, worker: int) -> bool:
        """Whether the worker's station lives; one is sent for if there is none. See ``Executor.ready``."""
        post = self._posts[worker // self._seats]
        with post.lock:
            if post.actor is None:
                post.actor = self._start()
                post.greeting = post.actor.greet.remote()
            if post.greeting is None:
                return True
            if not ray.wait([post.greeting], timeout=POLL)[0]:
                return False
            try:
                _check(ray.get(post.greeting))
            except RayError as error:
                post.actor, post.deaths = None, post.deaths + 1
                if post.deaths == LOSSES:
                    raise ConfigError(f"stations die before they can play: {_brief(error)}") from error
                return False
            post.greeting, post.deaths = None, 0
            return True

    def play(
        self, worker: int, attempt: Attempt, lines: Lines, on_step: Callable[[Step, Tests], None]
    ) -> Result:
        """See ``Executor.play``."""
        post = self._posts[worker // self._seats]
        actor = post.actor
        digest = self._sender.pack(attempt.task)
        try:
            if actor is None:
                raise LostError("its station is gone")
            if not self._await(actor.has.remote(digest)):
                self._await(actor.take.remote(digest, self._sender.read(digest)))
            for message in self._stream(actor.play.remote(attempt, digest)):
                match message:
                    case Result():
                        return message
                    case Failure(problem):
                        raise ConfigError(problem)
                    case (step, tests):
                        lines.write(step)
                        on_step(step, tests)
                    case line:
                        lines.write(line)
        except RayError as error:
            self._discard(post, actor)
            raise LostError(_brief(error)) from error
        raise LostError("its station fell silent")

    def close(self) -> None:
        """Dismiss all stations; whatever they play ends with them."""
        for post in self._posts:
            if post.actor is not None:
                ray.kill(post.actor)
        self._sender.close()
        if self._ours:
            ray.shutdown()

    def _start(self) -> Any:
        """A new station, as soon as the cluster has a CPU for it."""
        actor = ray.remote(Station).options(num_cpus=1, max_concurrency=self._seats + 2, max_restarts=0)
        return actor.remote(self._config)

    def _discard(self, post: _Post, actor: Any) -> None:
        """Make sure that a station is dead, unless somebody else did."""
        with post.lock:
            if post.actor is actor:
                post.actor = None
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
            raise Stopped


def _check(greeting: Greeting) -> None:
    here = version("debug-gym")
    if greeting.version != here:
        raise ConfigError(
            f"a machine of the cluster has debug-gym {greeting.version}, here is {here}: "
            "install the same version everywhere"
        )
    if greeting.problem:
        raise ConfigError(f"a machine of the cluster cannot play: {greeting.problem}")


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
