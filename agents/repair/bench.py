"""The repair agent's workbench: copies of the live environment in which it tries things out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from debug_gym.agents.base import AgentEnv
from debug_gym.episode import ToolCall
from debug_gym.errors import DebugGymError


class WorkbenchError(DebugGymError, RuntimeError):
    """The environment refused a call that the repair agent depends on."""


@dataclass(frozen=True)
class Tested:
    """What one run of tests gave."""

    outcomes: Mapping[str, str] = field(default_factory=dict)
    """Test id to outcome."""
    timed_out: bool = False

    @property
    def failed(self) -> frozenset[str]:
        """The tests that failed or had an error."""
        return frozenset(test for test, outcome in self.outcomes.items() if outcome in {"failed", "error"})

    @property
    def passed(self) -> frozenset[str]:
        """The tests that passed."""
        return frozenset(test for test, outcome in self.outcomes.items() if outcome == "passed")


class Workbench:
    """A fork of the live environment with some files changed."""

    def __init__(self, fork: Callable[[], AgentEnv]) -> None:
        self._fork = fork
        self._env: AgentEnv | None = None
        self._texts: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the fork in use. The next call makes a new one, with the same changes."""
        if self._env is not None:
            self._env.close()
        self._env = None

    def call(self, name: str, *, may_fail: bool = False, **arguments: Any) -> dict[str, Any]:
        """Call a tool and return its data.

        Raises:
            WorkbenchError: the tool says that the call was wrong, unless it may be.
        """
        if self._env is None:
            self._env = self._fork()
            for path, content in self._texts.items():
                self.call("rewrite", path=path, content=content)
        observation = self._env.call(ToolCall(name=name, arguments=arguments))
        if observation.error and not may_fail:
            raise WorkbenchError(f"{name} failed on a copy of the environment: {observation.text[:300]}")
        return observation.data

    def bash(self, command: str, timeout: float) -> str:
        """Run a shell command and return its output."""
        return str(self.call("bash", command=command, timeout=timeout)["output"])

    def test(self, tests: Sequence[str] = (), timeout: float | None = None) -> Tested:
        """Run some tests, or all of them for none, at most for so many seconds.

        A test that a candidate made impossible to import or find has no outcome.
        """
        data = self.call("eval", may_fail=True, tests=list(tests), timeout=timeout)
        return Tested(data.get("outcomes", {}), timed_out=data.get("timed_out", False))

    def write(self, files: Mapping[str, str], originals: Mapping[str, str]) -> None:
        """Give these files these texts, and those changed before their original ones."""
        wanted = {path: originals[path] for path in self._texts} | dict(files)
        for path, text in wanted.items():
            if self._texts.get(path, originals[path]) != text:
                self.call("rewrite", path=path, content=text)
        self._texts = {path: text for path, text in wanted.items() if text != originals[path]}
