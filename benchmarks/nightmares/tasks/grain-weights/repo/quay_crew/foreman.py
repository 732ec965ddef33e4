"""Gives jobs to the crew."""

from __future__ import annotations

from typing import Any, Dict, Generator, Optional

from .kernel import Kernel, Task


class Foreman:
    """Knows all jobs of a shift by name."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.jobs: Dict[str, Task] = {}

    def order(self, name: str, job: Generator[Any, Any, Any], within: Optional[int] = None) -> None:
        """Start a job, to be called off if it takes longer than some turns."""
        deadline = None if within is None else self._kernel.turn + within + 1
        self.jobs[name] = self._kernel.start(name, job, deadline)

    def shift(self) -> Dict[str, str]:
        """Work until everything is done. Returns how each job ended."""
        self._kernel.run()
        return {name: task.state for name, task in self.jobs.items()}
