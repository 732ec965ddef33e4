"""Sandboxes started ahead: whoever needs one for a task that was played before need not wait for it."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from debug_gym.errors import DebugGymError
from debug_gym.sandbox.client import Sandbox
from debug_gym.task import Task

CLOSING = 30.0
"""Seconds at most to wait for a sandbox that is being started when the pool is closed."""
MAX_KINDS = 16
"""Kinds of sandboxes that are kept ready; the one unused for longest goes."""
_AT_ONCE = 8
"""Sandboxes at most that are started at the same time."""


@dataclass
class _Ready:
    waiting: deque[Sandbox] = field(default_factory=deque)
    starting: int = 0


class ReadyPool:
    """Keeps sandboxes ready. Tasks that start in the same state share them, whatever their tests are.

    Args:
        start: gives a fresh sandbox for a task.
        size: how many to keep ready for each state; 0: none.
    """

    def __init__(self, start: Callable[[Task], Sandbox], size: int) -> None:
        self._start, self.size = start, size
        self._kinds: OrderedDict[str, _Ready] = OrderedDict()
        self._refills: set[Future[None]] = set()
        self._threads = self._new_threads()
        self._lock = threading.Lock()

    @staticmethod
    def _new_threads() -> ThreadPoolExecutor:
        """They stay: to start one takes longer than all else that is done for who needs a sandbox."""
        return ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="refill")

    def take(self, task: Task) -> Sandbox:
        """A fresh sandbox: one that waits, or else a new one; the next are started in the background."""
        sandbox = self._waiting(task) if self.size else None
        if sandbox is None:
            return self._start(task)
        sandbox.task = task
        return sandbox

    @property
    def waiting(self) -> int:
        """How many wait."""
        with self._lock:
            return sum(len(kind.waiting) for kind in self._kinds.values())

    def _waiting(self, task: Task) -> Sandbox | None:
        key = "".join(part.model_dump_json() for part in (task.source, task.environment, task.limits))
        dropped: list[Sandbox] = []
        with self._lock:
            ready = self._kinds.setdefault(key, _Ready())
            self._kinds.move_to_end(key)
            sandbox = None
            while sandbox is None and ready.waiting:
                sandbox = ready.waiting.popleft()
                if not sandbox.connection.is_silent():
                    dropped.append(sandbox)
                    sandbox = None
            missing = self.size - len(ready.waiting) - ready.starting
            ready.starting += missing
            if len(self._kinds) > MAX_KINDS:
                dropped += self._kinds.popitem(last=False)[1].waiting
            for _ in range(missing):
                refill = self._threads.submit(self._refill, task, ready)
                self._refills.add(refill)
                refill.add_done_callback(self._refills.discard)
        for old in dropped:
            old.close()
        return sandbox

    def _refill(self, task: Task, ready: _Ready) -> None:
        try:
            sandbox = self._start(task)
        except (DebugGymError, OSError):
            sandbox = None  # whoever needs it will start its own, and see the error
        with self._lock:
            ready.starting -= 1
            wanted = any(kind is ready for kind in self._kinds.values())
            if sandbox is not None and wanted:
                ready.waiting.append(sandbox)
        if sandbox is not None and not wanted:
            sandbox.close()

    def close(self) -> None:
        """Close what waits, and wait for what is being started, to close it too."""
        with self._lock:
            waiting = [sandbox for kind in self._kinds.values() for sandbox in kind.waiting]
            threads, self._threads = self._threads, self._new_threads()
            self._kinds.clear()
        for sandbox in waiting:
            sandbox.close()
        threads.shutdown(wait=False, cancel_futures=True)
        wait(list(self._refills), CLOSING)
