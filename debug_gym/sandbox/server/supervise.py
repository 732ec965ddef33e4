"""Child processes under control: started, watched, measured, and ended with all that they left behind."""

from __future__ import annotations

import os
import select
import signal
import time
from functools import partial
from typing import Any, Callable, FrozenSet

from . import linux
from .memory import MemoryWatch
from .output import BoundedOutput
from .processes import children, descendants, exit_code, send_signal, signal_group

_WATCH = 0.05
"""Seconds between two looks at the memory of all processes while something runs."""
_MANY = 16
"""More processes than this are ended all at once."""


class HostGoneError(Exception):
    """The other end of the channel was closed: the gym ended, or was killed."""


_LAST_WORDS = 0.03
"""Seconds that a program at its time limit gets to write where it stands."""


class Supervisor:
    """Waits for children and pipes in one loop. It is pid 1 of its sandbox, or a subreaper.

    ``keep`` holds the pids of long-lived helpers (shell, spare interpreter, debugger), which the clean-up
    after a command must spare.
    """

    def __init__(self, channel_fd: int, memory: int) -> None:
        self.channel_fd = channel_fd
        self.memory = memory
        self.me = os.getpid()
        self.keep: set[int] = set()
        self.frozen: dict[int, None] = {}
        """Those of ``keep`` that are sleeping copies of the debugged program, oldest first: they share its
        memory."""
        self.exited: dict[int, int] = {}
        self.on_kill_all: list[Callable[[], None]] = []
        """Called after every process had to be killed, the helpers too."""
        self.out_of_memory = False
        self.hurried = False
        """The host wants what is under way to end now, as if its time were over."""
        self._watch = MemoryWatch(memory)
        self.crowded = False
        """There were too many processes to start another."""
        self.wake_read, self.wake_write = os.pipe()
        os.set_blocking(self.wake_read, False)
        os.set_blocking(self.wake_write, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        linux.wake_by_signals(self.wake_write)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # pid 1 with no handler is immune from inside
        linux.set_subreaper()
        linux.set_dumpable(False)  # children can neither trace us nor open our memory or descriptors

    # -- waiting ---------------------------------------------------------------

    def wait(
        self,
        readers: dict[int, Callable[[int], bool]],
        done: Callable[[], bool],
        timeout: float | None,
    ) -> bool:
        """Serve ``readers`` (descriptor to a function that returns False at its end) until ``done()``.

        Returns False if the time ran out first, or the host is in a hurry. Raises ``HostGoneError``.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        poll = select.poll()
        poll.register(self.wake_read, select.POLLIN)
        if self.channel_fd >= 0:
            poll.register(self.channel_fd, 0 if self.hurried else select.POLLIN)
        for fd in readers:
            poll.register(fd, select.POLLIN | select.POLLHUP)
        look = time.monotonic() + _WATCH
        while True:
            self.reap()
            if done():
                return True
            now = time.monotonic()
            if deadline is not None and now >= deadline:
                return False
            if now >= look:
                self.guard_memory()
                look = now + _WATCH
            pause = min(_WATCH, deadline - now) if deadline is not None else _WATCH
            for fd, event in poll.poll(pause * 1000 + 0.5):
                if fd == self.wake_read:
                    _drain(fd)
                elif fd == self.channel_fd:
                    if event & (select.POLLHUP | select.POLLERR):
                        raise HostGoneError
                    self.hurried = True  # the host has nothing else to say before it is answered
                    return False
                elif not readers[fd](fd):
                    poll.unregister(fd)

    def reap(self) -> None:
        """Take the exit status of every child that ended; strangers' too, or they stay as zombies."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self.keep:
                self.exited[pid] = status

    def run(
        self,
        pid: int,
        sinks: dict[int, BoundedOutput],
        timeout: float | None,
        before: frozenset[int] | None = None,
        *,
        ask: int | None = None,
    ) -> dict[str, Any]:
        """Collect the output of child ``pid`` until it exits (not until its pipes close: a daemon may hold
        them), end what it left behind, and say how it went. Closes the descriptors in ``sinks``.

        At the time limit it gets the signal ``ask``, and a moment to write where it stands."""
        self.out_of_memory = False
        self.keep.add(pid)
        for fd in sinks:
            os.set_blocking(fd, False)
        readers = {fd: pump(sink.add) for fd, sink in sinks.items()}
        timed_out = not self.wait(readers, lambda: pid in self.exited, timeout)
        if timed_out and ask is not None and send_signal(pid, ask):
            self.wait(readers, lambda: pid in self.exited, _LAST_WORDS)
        if timed_out:
            self.end_family(pid)
        status = self.exited.pop(pid, signal.SIGKILL)
        signal_group(pid, signal.SIGKILL)
        self.keep.discard(pid)
        killed = self.end_strays(before or frozenset())
        for fd, sink in sinks.items():
            pump(sink.add, rounds=1 << 10)(fd)
            os.close(fd)
        reply: dict[str, Any] = {"exit_code": exit_code(status), "timed_out": timed_out, "killed": killed}
        return {**reply, "note": self.remarks()}

    def make(self, start: Callable[[], int]) -> int:
        """Start a process. If there are too many already, end them all first."""
        try:
            return start()
        except BlockingIOError:
            self.kill_all()
            self.crowded = True
            return start()

    def remarks(self) -> str:
        """What there is to say about the last command, beside its output."""
        found = []
        if self.crowded:
            found.append("there were too many processes: all of them, and the shell, were ended before")
        if self.out_of_memory:
            found.append("killed: out of memory (the limit is %d MiB)" % (self.memory >> 20))
        self.out_of_memory = self.crowded = False
        return "; ".join(found)

    def end_family(self, pid: int) -> None:
        """Kill a child with its process group and wait for its end; all processes at once, if they are many:
        what multiplies outruns a hunt for one after the other."""
        if self.me == 1 and len(set(self._all()).difference(self.frozen)) > _MANY:
            self.kill_all()
            self.exited[pid] = signal.SIGKILL
            return
        signal_group(pid, signal.SIGKILL)
        send_signal(pid, signal.SIGKILL)
        self.wait({}, lambda: pid in self.exited, 5.0)

    # -- what was left behind ----------------------------------------------------

    def strays(self) -> frozenset[int]:
        """Our children that are no helpers: what a command left behind."""
        return frozenset(pid for pid in children(self.me) if pid not in self.keep)

    def end_strays(self, spare: frozenset[int] = frozenset()) -> int:
        """Kill what was left behind, except ``spare``, until nothing is left; return how many that were.

        Killing makes orphans of the next generation, which then are our children too. What multiplies
        faster than that (a fork bomb) is ended all at once.
        """
        killed = 0
        for attempt in range(100):
            self.reap()
            left = self.strays() - spare
            if not left:
                break
            if self.me == 1 and (attempt >= 3 or len(left) > _MANY):
                killed += len(left)
                self.kill_all()
                break
            for pid in left:
                send_signal(pid, signal.SIGKILL)
            killed += len(left)
            if not self.wait({}, partial(self._are_gone, left), 1.0) and self.me == 1:
                self.kill_all()  # something holds on to their zombies: a tracer, which we have spared
        return killed

    def _are_gone(self, pids: FrozenSet[int]) -> bool:
        return not self.strays() & pids

    def kill_all(self) -> None:
        """Kill every process but ourselves. From pid 1 this is one atomic system call."""
        for _ in range(1000):
            if self.me == 1:
                send_signal(-1, signal.SIGKILL)
            for pid in () if self.me == 1 else descendants(self.me):
                send_signal(pid, signal.SIGKILL)
            try:
                os.waitpid(-1, 0)
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                break
        self.keep.clear()
        self.frozen.clear()
        self.exited.clear()
        for forget in self.on_kill_all:
            forget()

    def guard_memory(self) -> None:
        """Kill a process, the largest as a rule, if all of them together use more memory than allowed."""
        doomed = self._watch.excess((pid for pid in self._all() if pid != self.me), list(self.frozen))
        if doomed is not None:
            self.out_of_memory = self.out_of_memory or doomed not in self.frozen
            send_signal(doomed, signal.SIGKILL)

    def _all(self) -> list[int]:
        if self.me == 1:
            return [int(name) for name in os.listdir("/proc") if name.isdigit()]
        return descendants(self.me)


def _drain(fd: int) -> None:
    try:
        while os.read(fd, 4096):
            pass
    except OSError:
        pass


def pump(take: Callable[[bytes], Any], rounds: int = 64) -> Callable[[int], bool]:
    """A reader for ``Supervisor.wait`` that hands on what a non-blocking pipe holds.

    Bounded, so that a flood cannot hold us up.
    """

    def read(fd: int) -> bool:
        for _ in range(rounds):
            try:
                data = os.read(fd, 65536)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not data:
                return False
            take(data)
        return True

    return read
