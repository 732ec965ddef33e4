"""Gates: one job at a time."""

from __future__ import annotations

from collections import deque
from typing import Any, Deque, Generator

from .kernel import Kernel, Task


class Gate:
    """Lets one task in; the others queue and are let in as they came.

    A task enters by yielding the gate, and opens it again for the next one when it leaves.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._closed = False
        self._queue: Deque[Task] = deque()

    @property
    def closed(self) -> bool:
        return self._closed

    def enter(self, task: Task) -> bool:
        """Let a task in, or put it in the queue."""
        if self._closed:
            self._queue.append(task)
            return False
        self._closed = True
        return True

    def leave(self, task: Task) -> None:
        """Take back a task's wish to enter, even if it has been granted and the task did not get to use it."""
        if task in self._queue:
            self._queue.remove(task)
        else:
            self.open()

    def open(self) -> None:
        """Hand the gate to the next task of the queue, or leave it open."""
        if self._queue:
            self._kernel.wake(self._queue.popleft())
        else:
            self._closed = False


def behind(gate: Gate, work: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """Do some work while nobody else is behind the gate, which is open again however the work ends."""
    try:
        yield gate
        return (yield from work)
    finally:
        work.close()
        gate.open()
