"""The repair agent's workbench: copies of the live environment in which it tries things out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from debug_gym.agents.base import Env
from debug_gym.errors import DebugGymError


class WorkbenchError(DebugGymError, RuntimeError):
    """The environment refused a call that the repair agent depends on."""


@dataclass(frozen=True)
class Tested:
    """What one run of tests gave."""

    outcomes: Mapping[str, str] = field(default_factory=dict)
    """Test id to outcome."""
    complete: bool = False
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
    """A fork of the environment that is replaced by a new one when its episode ends.

    An environment ends its episode when all tests pass, which is just what a good candidate brings about.
    """

    def __init__(self, fork: Callable[[], Env]) -> None:
        self._fork = fork
        self._env: Env | None = None
        self._changed: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the copy in use; the next call makes a new one, without any changes."""
        if self._env is not None:
            self._env.close()
        self._env, self._changed = None, {}

    def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool and return its data.

        Raises:
            WorkbenchError: the tool says that the call was wrong.
        """
        if self._env is None:
            self._env = self._fork()
        text, _, terminated, truncated, info = self._env.step({"name": name, "arguments": arguments})
        if terminated or truncated:
            self.close()
        if info["error"]:
            raise WorkbenchError(f"{name} failed on a copy of the environment: {text[:300]}")
        data: dict[str, Any] = info["data"]
        return data

    def bash(self, command: str, timeout: float) -> str:
        """Run a shell command and return its output."""
        return str(self.call("bash", command=command, timeout=timeout)["output"])

    def test(self, tests: Sequence[str] = (), timeout: float | None = None) -> Tested:
        """Run some tests, or all; at most for so many seconds."""
        data = self.call("eval", tests=list(tests), timeout=timeout)
        return Tested(data["outcomes"], complete=data["complete"], timed_out=data["timed_out"])

    def write(self, files: Mapping[str, str], originals: Mapping[str, str]) -> None:
        """Bring the copy's files to these texts, and those changed before back to their originals."""
        wanted = {path: originals[path] for path in self._changed if path not in files} | dict(files)
        for path, text in wanted.items():
            if self._changed.get(path, originals[path]) != text:
                self.call("rewrite", path=path, content=text)
                self._changed[path] = text
