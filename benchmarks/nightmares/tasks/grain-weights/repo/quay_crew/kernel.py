"""Runs generators in turns."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Deque, Dict, Generator, List, Optional

Steps = Generator[Any, Any, Any]


@dataclass(frozen=True)
class Pause:
    """Yielded by a job that has nothing to do for some turns."""

    turns: int = 1


@dataclass(eq=False)
class Task:
    """A job under way. ``state`` is ``running``, ``done``, ``failed`` or ``called off``."""

    name: str
    steps: Steps
    deadline: Optional[int] = None
    state: str = "running"
    result: Any = None
    waits_for: Any = field(default=None, repr=False)


class Kernel:
    """The turns of a quay: in each, every task that is ready takes one step."""

    def __init__(self) -> None:
        self.turn = 0
        self._ready: Deque[Task] = deque()
        self._resting: Dict[int, List[Task]] = {}
        self._tasks: List[Task] = []

    def start(self, name: str, steps: Steps, deadline: Optional[int] = None) -> Task:
        """Add a task. One with a deadline is called off at the start of that turn."""
        task = Task(name, steps, deadline)
        self._tasks.append(task)
        self.wake(task)
        return task

    def wake(self, task: Task) -> None:
        """Let a task take its next step as soon as it is its turn."""
        self._ready.append(task)

    def run(self, turns: int = 1000) -> None:
        """Go on until all tasks have ended, or for a number of turns."""
        for _ in range(turns):
            if all(task.state != "running" for task in self._tasks):
                return
            self._take_turn()

    def call_off(self, task: Task) -> None:
        """End a task where it stands."""
        if task.state != "running":
            return
        if task.waits_for is not None:
            task.waits_for.leave(task)
        task.state = "called off"
        task.steps.close()

    def _take_turn(self) -> None:
        self.turn += 1
        for task in self._tasks:
            if task.deadline == self.turn:
                self.call_off(task)
        for task in self._resting.pop(self.turn, []):
            self.wake(task)
        for _ in range(len(self._ready)):
            task = self._ready.popleft()
            if task.state == "running":
                self._step(task)

    def _step(self, task: Task) -> None:
        task.waits_for = None
        try:
            wish = next(task.steps)
        except StopIteration as end:
            task.state, task.result = "done", end.value
        except Exception as error:
            task.state, task.result = "failed", error
        else:
            self._grant(task, wish)

    def _grant(self, task: Task, wish: Any) -> None:
        if isinstance(wish, Pause):
            self._resting.setdefault(self.turn + max(wish.turns, 1), []).append(task)
        else:
            task.waits_for = wish
            if wish.enter(task):
                self.wake(task)
