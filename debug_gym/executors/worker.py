"""A worker on another machine: plays attempts there and sends every line home.

Knows nothing of Ray: ``debug_gym.executors.ray`` makes actors of this class.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from threading import BoundedSemaphore, Lock, Thread

from debug_gym.episode import Step
from debug_gym.errors import ConfigError, DebugGymError
from debug_gym.executors import transfer
from debug_gym.executors.base import WORKING, LostError
from debug_gym.sandbox.registry import working_backend
from debug_gym.session import Attempt, AttemptConfig, Passing, Recorder, Setup, play_attempt
from debug_gym.session.setup import make_model
from debug_gym.store.records import End, Result, Start, versions


@dataclass(frozen=True)
class Check:
    """What a worker says of its machine."""

    version: str
    """Of debug-gym."""
    problem: str = ""
    """Why it cannot play, in one sentence."""


@dataclass(frozen=True)
class Failure:
    """The attempt could not be played, and no other one can."""

    problem: str


Message = Start | End | tuple[Step, Passing] | Result | Failure
"""What comes of an attempt: the lines of its trajectory, and at last a result or a failure."""


class Worker:
    """Plays attempts, several at a time, on one CPU. The arguments come from another machine."""

    def __init__(self, config: str) -> None:
        self._config = AttemptConfig.model_validate_json(config)
        self._turns = BoundedSemaphore(WORKING)
        self._made: Setup | None = None
        self._lock = Lock()

    def check(self) -> Check:
        """Try everything once that no attempt can do without."""
        version = versions()["debug_gym"]
        try:
            setup = self._setup()
            setup.agent()
            if setup.model is not None:
                setup.model.check()
        except (DebugGymError, ImportError) as error:
            return Check(version, str(error))
        return Check(version)

    def has(self, digest: str) -> bool:
        """Whether this machine has a repository."""
        return transfer.has(digest)

    def take(self, digest: str, archive: bytes) -> None:
        """Keep a repository."""
        transfer.store(digest, archive)

    def play(self, attempt: Attempt, digest: str) -> Iterator[Message]:
        """Play an attempt on a repository that this machine has."""
        task = transfer.unpacked(attempt.task, digest)
        mine = Attempt(task, attempt.number, attempt.seed)
        stream = _Stream()
        Thread(target=self._play, args=(mine, stream), name=f"play-{task.id}", daemon=True).start()
        while True:
            message = stream.messages.get()
            yield message
            if isinstance(message, Result | Failure):
                return

    def _play(self, attempt: Attempt, stream: "_Stream") -> None:
        try:
            play_attempt(self._setup(), attempt, stream, on_step=stream.on_step, turn=self._turns)
        except Exception as error:  # a thread's boundary; what only this attempt suffers from is a result
            stream.messages.put(Failure(str(error)))

    def _setup(self) -> Setup:
        """What all attempts here are played with."""
        with self._lock:
            if self._made is None:
                backend, model = working_backend(self._config.sandbox), make_model(self._config)
                self._made = Setup(self._config, backend, model=model)
            return self._made


class _Stream:
    """Sends an attempt's records home, in place of a file."""

    def __init__(self) -> None:
        self.messages: SimpleQueue[Message] = SimpleQueue()
        self.empty = True

    def write(self, line: Start | Step | End) -> None:
        """Send a line; a step goes with what ``on_step`` is told of it."""
        self.empty = False
        if not isinstance(line, Step):
            self.messages.put(line)

    def on_step(self, step: Step, tests: Passing) -> None:
        """Send a step."""
        self.messages.put((step, tests))

    def add(self, result: Result) -> None:
        """Send the result: the last message."""
        self.messages.put(result)

    def close(self) -> None:
        """There is nothing to let go of."""


def receive(
    messages: Iterable[Message], recorder: Recorder, on_step: Callable[[Step, Passing], None]
) -> Result:
    """Record what a worker sends of an attempt, and give its result.

    Raises:
        ConfigError: no attempt can be played.
        LostError: the messages end before there is a result.
        StorageError: a line cannot be written.
    """
    for message in messages:
        match message:
            case Result():
                recorder.add(message)
                return message
            case Failure(problem):
                raise ConfigError(problem)
            case (step, tests):
                recorder.write(step)
                on_step(step, tests)
            case line:
                recorder.write(line)
    raise LostError("its worker fell silent")
