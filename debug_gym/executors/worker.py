"""The far end of a run on a cluster: plays attempts on its machine and sends every line home.

Knows nothing of Ray: ``debug_gym.executors.ray`` makes actors of this class.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from threading import BoundedSemaphore, Event, Lock, Thread

from debug_gym.episode import Step
from debug_gym.errors import DebugGymError
from debug_gym.executors import transfer
from debug_gym.executors.base import WORKING
from debug_gym.runs.attempt import Player, Tests
from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import Attempt, Setup, make_backend, make_model
from debug_gym.store.records import End, Result, Start, versions


@dataclass(frozen=True)
class Greeting:
    """What a station says first."""

    version: str
    """Of debug-gym on its machine."""
    problem: str = ""
    """Why it cannot play, in one sentence."""


@dataclass(frozen=True)
class Failure:
    """The attempt could not be played, and no other one can."""

    problem: str


Message = Start | End | tuple[Step, Tests] | Result | Failure
"""What comes of an attempt: the lines of its trajectory, and at last a result or a failure."""


class Station:
    """Plays attempts, several at a time, on one CPU. The arguments come from another machine."""

    def __init__(self, config: str) -> None:
        self._config = RunConfig.model_validate_json(config)
        self._turns = BoundedSemaphore(WORKING)
        self._made: Setup | None = None
        self._lock = Lock()

    def greet(self) -> Greeting:
        """Try everything once that no attempt can do without."""
        version = versions()["debug_gym"]
        try:
            self._setup().agent()
        except (DebugGymError, ImportError) as error:
            return Greeting(version, str(error))
        return Greeting(version)

    def has(self, digest: str) -> bool:
        """Whether this machine has a repository."""
        return transfer.has(digest)

    def take(self, digest: str, parcel: bytes) -> None:
        """Keep a repository."""
        transfer.store(digest, parcel)

    def play(self, attempt: Attempt, digest: str) -> Iterator[Message]:
        """Play an attempt on a repository that this machine has."""
        task = transfer.unpacked(attempt.task, digest)
        mine = Attempt(task, attempt.number, attempt.seed)
        lines = _Stream()
        Thread(target=self._play, args=(mine, lines), name=f"play-{task.id}", daemon=True).start()
        while True:
            message = lines.messages.get()
            yield message
            if isinstance(message, Result | Failure):
                return

    def _play(self, attempt: Attempt, lines: "_Stream") -> None:
        try:
            player = Player(self._setup(), attempt, Event(), self._turns)
            lines.messages.put(player.play(lines, lines.on_step))
        except Exception as error:  # a thread's boundary; what only this attempt suffers from is a result
            lines.messages.put(Failure(str(error)))

    def _setup(self) -> Setup:
        """What all attempts here are played with."""
        with self._lock:
            if self._made is None:
                backend, model = make_backend(self._config.sandbox), make_model(self._config)
                self._made = Setup(self._config, backend, model=model)
            return self._made


class _Stream:
    """The lines of an attempt, in place of its file."""

    def __init__(self) -> None:
        self.messages: SimpleQueue[Message] = SimpleQueue()
        self.empty = True

    def write(self, line: Start | Step | End) -> None:
        """Send a line home; a step goes with what ``on_step`` is told of it."""
        self.empty = False
        if not isinstance(line, Step):
            self.messages.put(line)

    def on_step(self, step: Step, tests: Tests) -> None:
        """Send a step home."""
        self.messages.put((step, tests))
