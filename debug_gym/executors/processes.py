"""Attempts in several processes of this machine: one interpreter keeps no more than a few CPUs busy.

Each process plays some attempts at a time, in threads, and sends every line to the run's own process, which
alone writes. Warm interpreters are shared: a process gets copies of those of the run's own.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from threading import Event, Lock, Thread
from typing import Any

from debug_gym.episode import Step
from debug_gym.errors import ConfigError, DebugGymError
from debug_gym.executors.base import LOSSES, LostError, episodes_per_cpu
from debug_gym.executors.worker import Check, Message, Worker, receive
from debug_gym.sandbox.namespace import NamespaceBackend
from debug_gym.sandbox.registry import offer
from debug_gym.session import AbandonedError, Attempt, AttemptConfig, Passing, Recorder, Setup
from debug_gym.store.records import Result

POLL = 0.2
"""Seconds between two looks at whether the run was stopped."""


class _Process:
    """A process that plays, and a connection to each of its threads."""

    def __init__(self, setup: Setup, threads: int) -> None:
        pairs = [socket.socketpair() for _ in range(threads)]
        lent, borrowed = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        theirs = [borrowed.fileno(), *(far.fileno() for _, far in pairs)]
        with contextlib.ExitStack() as on_failure, contextlib.ExitStack() as handed_over:
            for near, far in (*pairs, (lent, borrowed)):
                on_failure.push(near)
                handed_over.push(far)
            self._program = subprocess.Popen(
                [sys.executable, "-m", __name__, *map(str, theirs)], pass_fds=theirs, stdin=subprocess.DEVNULL
            )
            on_failure.pop_all()
        self.connections = [Connection(near.detach()) for near, _ in pairs]
        self.waiting = set(range(threads))
        """Threads that have not yet said whether they can play."""
        with contextlib.suppress(OSError):  # it has ended already; that there is no answer will say so
            config = setup.config.model_dump_json(include=set(AttemptConfig.model_fields))
            self.connections[0].send(config)
        if isinstance(setup.backend, NamespaceBackend):
            Thread(target=_lend, args=(setup.backend, lent), name="lender", daemon=True).start()
        else:
            lent.close()

    def end(self) -> None:
        """Kill it."""
        self._program.kill()
        self._program.wait()
        for connection in self.connections:
            connection.close()


def _lend(backend: NamespaceBackend, borrower: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it was killed
        backend.lend(borrower)


class ProcessExecutor:
    """Plays in processes of this machine.

    Args:
        setup: makes agents and environments; its backend's warm interpreters are shared.
        stop: once it is set, attempts are abandoned.
        processes: how many.
        workers: attempts at the same time; None: as many as keep as many CPUs busy.
    """

    def __init__(self, setup: Setup, stop: Event, processes: int, workers: int | None = None) -> None:
        self.workers = workers or processes * episodes_per_cpu(setup.config)
        self._setup, self._stop = setup, stop
        self._threads = -(-self.workers // processes)
        self._processes: list[_Process | None] = [None] * -(-self.workers // self._threads)
        self._deaths = [0] * len(self._processes)
        self._locks = [Lock() for _ in self._processes]

    def ready(self, worker: int) -> bool:
        """Whether the worker's process runs; it is started if there is none. See ``Executor.ready``."""
        number, thread = divmod(worker, self._threads)
        with self._locks[number]:
            process = self._processes[number]
            if process is None:
                process = self._processes[number] = _Process(self._setup, self._threads)
            if thread not in process.waiting:
                return True
        try:
            if not process.connections[thread].poll(POLL):
                return False
            check: Check = process.connections[thread].recv()
        except (EOFError, OSError):
            self._discard(number, process)
            self._deaths[number] += 1
            if self._deaths[number] >= LOSSES:
                raise ConfigError("processes end before they can play: give --processes 1") from None
            return False
        if check.problem:
            raise ConfigError(f"a process of this run cannot play: {check.problem}")
        process.waiting.discard(thread)
        self._deaths[number] = 0
        return True

    def play(
        self, worker: int, attempt: Attempt, recorder: Recorder, on_step: Callable[[Step, Passing], None]
    ) -> Result:
        """See ``Executor.play``."""
        number, thread = divmod(worker, self._threads)
        process = self._processes[number]
        if process is None:
            raise LostError("its process has ended")
        connection = process.connections[thread]
        try:
            connection.send(attempt)
            return receive(self._messages(connection), recorder, on_step)
        except DebugGymError:
            raise
        except (EOFError, OSError):
            self._discard(number, process)
            raise LostError("its process has ended") from None

    def _messages(self, connection: Any) -> Iterator[Message]:
        while True:
            while not connection.poll(POLL):
                if self._stop.is_set():
                    raise AbandonedError
            yield connection.recv()
            if self._stop.is_set():
                raise AbandonedError

    def _discard(self, number: int, process: _Process) -> None:
        """Make sure that a process is dead, unless somebody else did."""
        with self._locks[number]:
            if self._processes[number] is process:
                self._processes[number] = None
                process.end()

    def close(self) -> None:
        """End all processes; whatever they play ends with them."""
        for process in self._processes:
            if process is not None:
                process.end()


# -- in such a process --------------------------------------------------------------------------


def main() -> None:
    """Play what the connections bring, a thread for each, until they are closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run's own process decides what Ctrl-C means
    lender, *numbers = map(int, sys.argv[1:])
    connections = [Connection(number) for number in numbers]
    config = connections[0].recv()
    wanted = AttemptConfig.model_validate_json(config).sandbox
    offer(wanted, socket.socket(fileno=lender))
    worker = Worker(config)
    check = worker.check()
    threads = [Thread(target=_serve, args=(worker, check, connection)) for connection in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _serve(worker: Worker, check: Check, connection: Any) -> None:
    with contextlib.suppress(OSError):
        connection.send(check)
        while True:
            try:
                attempt = connection.recv()
            except EOFError:
                break
            for message in worker.play(attempt, ""):
                connection.send(message)
    os._exit(0)  # the run is over, or was killed: nobody waits for the other threads


if __name__ == "__main__":
    main()
