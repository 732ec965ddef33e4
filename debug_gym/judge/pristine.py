"""What the judge asks the untouched repository: which tests it has, which files, and what they say."""

from collections.abc import Collection
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Self

from debug_gym.sandbox import Backend, Sandbox
from debug_gym.task import Task

_KEPT = {"skipped", "xfailed"}
"""Outcomes that a test may keep where the task names no tests."""


class Pristine:
    """The repository as it was before any change. A sandbox is started only if it is needed."""

    def __init__(self, task: Task, backend: Backend) -> None:
        self.task, self.backend = task, backend
        self._stack = ExitStack()
        self._started: Sandbox | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def expected(self) -> dict[str, str]:
        """Test id to the outcome that it must have. Runs the tests if the task names none."""
        if self.task.tests.required:
            return dict.fromkeys(self.task.tests.required, "passed")
        run = self._sandbox().run_tests(timeout=self.task.tests.timeout)
        stable = [test for test in run.collected if test not in self.task.tests.unstable]
        outcomes = {test: run.outcomes.get(test, "missing") for test in stable}
        return {test: outcome if outcome in _KEPT else "passed" for test, outcome in outcomes.items()}

    def paths(self) -> frozenset[str]:
        """Files near the top, where new modules could hide others."""
        found = self._sandbox().listdir(depth=3)
        return frozenset(path for path, kind, _ in found if kind != "dir")

    def texts(self, paths: Collection[str]) -> dict[str, str]:
        """Text of test files: the hidden ones from the task, the others from the repository. What cannot be
        read is left out."""
        texts = {path: text for path, text in self.task.tests.hidden.items() if path in paths}
        for path in paths:
            if path not in texts:
                with suppress(OSError, ValueError):
                    texts[path] = self._sandbox().read(path).decode()
        return texts

    def _sandbox(self) -> Sandbox:
        if self._started is None:
            self._started = self._stack.enter_context(self.backend.start(self.task))
        return self._started
