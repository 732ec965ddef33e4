"""What became of each candidate, kept on disk so that mining goes on where it was killed."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock, Timeout
from pydantic import ValidationError

from debug_gym.errors import ConfigError, HostError
from debug_gym.store.writer import write_atomically
from debug_gym.task import Frozen

FOLDER = ".mining"
"""Where the ledger lies in the folder of the benchmark."""


class Outcome(Frozen):
    """How it ended with a candidate."""

    id: str
    stage: str = ""
    """Where it fell; empty: it is a task."""
    why: str = ""
    detail: str = ""
    """Of a task: why its statement is that of the template, where a model was asked."""
    seconds: float = 0.0
    """Processor time is shared: this is wall-clock time."""


class Ledger:
    """The outcomes so far, held by one process. Use it as a context manager.

    Args:
        folder: of the benchmark.
        asked: what is mined, and how: another question may not go on with the answers to this one.

    Raises:
        ConfigError: the folder holds something else, or another process mines into it.
        HostError: it cannot be written to.
    """

    def __init__(self, folder: Path, asked: dict[str, Any]) -> None:
        self.folder = folder / FOLDER
        self._lock = threading.Lock()
        self._path = self.folder / "candidates.jsonl"
        self._held = FileLock(self.folder / "lock", timeout=0)
        try:
            self._begin(folder, json.loads(json.dumps(asked)))
        except OSError as error:
            raise HostError(f"{folder} cannot be written to: {error.strerror}") from None
        self.outcomes = self._read()

    def _begin(self, folder: Path, asked: dict[str, Any]) -> None:
        question = self.folder / "asked.json"
        if folder.exists() and any(folder.iterdir()) and not self.folder.exists():
            raise ConfigError(f"{folder} holds something else: choose another folder by --output")
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._held.acquire()
        except Timeout:
            raise ConfigError(f"another process mines into {folder}") from None
        if not question.exists():
            write_atomically(question, json.dumps(asked, indent=1))
            return
        before = json.loads(question.read_text())
        if changed := [key for key in sorted({*before, *asked}) if before.get(key) != asked.get(key)]:
            raise ConfigError(
                f"{folder} was mined with another {', '.join(changed)}: choose another folder by --output, "
                "or the same options to go on"
            )

    def _read(self) -> dict[str, Outcome]:
        """What is known. A line that was cut off by a crash is dropped, and its candidate tried again."""
        found: dict[str, Outcome] = {}
        lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        for line in lines:
            try:
                outcome = Outcome.model_validate_json(line)
            except ValidationError:
                continue
            found[outcome.id] = outcome
        write_atomically(self._path, "".join(f"{one.model_dump_json()}\n" for one in found.values()))
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.release()

    def add(self, outcome: Outcome) -> None:
        """Keep an outcome, at once."""
        with self._lock:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{outcome.model_dump_json()}\n")
            self.outcomes[outcome.id] = outcome

    def remember(self, name: str, make: Callable[[], Any]) -> Any:
        """The JSON value that was made under a name before, or is now."""
        path = self.folder / f"{name}.json"
        if path.exists():
            return json.loads(path.read_text(encoding="utf-8"))
        value = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(value))
        return value
