"""Record what a model answers, and play it back offline: the same episodes again, byte for byte, with no key.

A recording is a folder with one file of JSON lines. Each message and each tool's schema is written once
(``part``), and each answer with the digests of what was asked (``reply``). Lines are only ever appended; of
two answers to the same question the later one counts, so a run that was killed and resumed can be replayed.
"""

import fcntl
import hashlib
import json
import os
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from debug_gym.agents.models.base import ContextOverflowError, Message, Model, Reply, Request, Schema
from debug_gym.errors import ConfigError, ModelError

FILE = "replies.jsonl"
FORMAT = 1
"""Changes when old recordings cannot be read any more."""
REPLY: TypeAdapter[Reply] = TypeAdapter(Reply)
"""Replies to JSON values and back."""


def digest(value: object) -> str:
    """Of a JSON value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class Question:
    """What a model is asked, as digests of its parts."""

    def __init__(
        self, model: str, episode: str, messages: Sequence[Message], tools: Sequence[Schema]
    ) -> None:
        self.model, self.episode = model, episode
        self.parts = {digest(part): part for part in (*messages, *tools)}
        self.messages = [digest(message) for message in messages]
        self.tools = [digest(tool) for tool in tools]
        self.key = digest([model, episode, self.messages, self.tools])


class RecordingModel(Model):
    """Another model whose answers are recorded. Closing it closes that one."""

    def __init__(self, model: Model, folder: Path) -> None:
        """Record into a folder, which is created. Several models may record into the same one at a time.

        Raises:
            ConfigError: the folder cannot be written.
        """
        self.name = model.name
        self._model, self._tape = model, _Tape(folder.absolute() / FILE)

    def reply(self, messages: Sequence[Message], tools: Sequence[Schema], *, episode: str = "") -> Reply:
        """Ask the other model; see ``Model.reply``."""
        request = Request(messages, tools, episode)
        try:
            reply = self._model.reply(messages, tools, episode=episode)
        except ContextOverflowError as error:
            self._record(request, error)
            raise
        self._record(request, reply)
        return reply

    def replies(self, requests: Sequence[Request]) -> list[Reply | ModelError]:
        """Ask the other model for all at once; see ``Model.replies``."""
        answers = self._model.replies(requests)
        for request, answer in zip(requests, answers, strict=True):
            self._record(request, answer)
        return answers

    def check(self) -> None:
        """Check the other model."""
        self._model.check()

    def close(self) -> None:
        """Close the other model."""
        self._model.close()

    def _record(self, request: Request, answer: Reply | ModelError) -> None:
        question = Question(self.name, request.episode, request.messages, request.tools)
        if isinstance(answer, Reply):
            self._tape.write(question, {"reply": REPLY.dump_python(answer, mode="json")})
        elif isinstance(answer, ContextOverflowError):
            self._tape.write(question, {"overflow": str(answer)})


class _Tape:
    """The file of a recording."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        self._turns: Counter[str] = Counter()
        self._written: set[str] = set()
        with _storing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    def write(self, question: Question, answer: dict[str, Any]) -> None:
        """Append a question and its answer in one go.

        Raises:
            ConfigError: the file cannot be written, which ends a run: it could not be replayed.
        """
        with self._lock, _storing(self._path):
            self._write(question, answer)

    def _write(self, question: Question, answer: dict[str, Any]) -> None:
        line = {
            "type": "reply",
            "format": FORMAT,
            "key": question.key,
            "model": question.model,
            "episode": question.episode,
            "messages": question.messages,
            "tools": question.tools,
            "turn": self._turns[question.key],
            **answer,
        }
        new = {name: part for name, part in question.parts.items() if name not in self._written}
        parts = [{"type": "part", "id": name, "value": part} for name, part in new.items()]
        self._append("".join(json.dumps(item) + "\n" for item in (*parts, line)).encode())
        self._written |= new.keys()
        self._turns[question.key] += 1

    def _append(self, data: bytes) -> None:
        """Other models may append as well, and a process may have been killed in the middle of a line."""
        with self._path.open("a+b", buffering=0) as file:  # closing it gives the lock back
            fcntl.flock(file, fcntl.LOCK_EX)
            size = os.fstat(file.fileno()).st_size
            if size and os.pread(file.fileno(), 1, size - 1) != b"\n":
                data = b"\n" + data
            while data:
                data = data[file.write(data) :]


@contextmanager
def _storing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}: make room or give another record"
        ) from error
