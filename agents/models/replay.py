"""A model that answers from a recording."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from debug_gym.agents.models.base import ContextOverflowError, Message, Model, Reply, Schema
from debug_gym.agents.models.recording import FILE, FORMAT, REPLY, Question
from debug_gym.agents.settings import configure
from debug_gym.errors import ConfigError, ModelError
from debug_gym.task import Frozen

AROUND = 40
"""Characters before and after the first difference that a message shows."""


class ReplaySettings(Frozen):
    """The options of ``ReplayModel``."""

    recording: Path
    """The folder that was given as ``record``."""
    base_url: str | None = None
    """Not used: it is there so that a recorded command can be replayed as it stands."""


class ReplayModel(Model):
    """Gives the answers of a recording, and fails on a question that was never asked."""

    Settings = ReplaySettings

    def __init__(self, name: str, **options: Any) -> None:
        """Take the recorded model's name and the options of ``ReplaySettings``.

        Raises:
            ConfigError: an option is wrong, there is no recording, or none of this model.
        """
        self.name = name
        folder = configure(ReplaySettings, options, "the replay model").recording
        self._recording = _load(folder)
        self._turns: Counter[str] = Counter()
        models = {line["model"] for line in self._recording.lines}
        if name not in models:
            known = ", ".join(sorted(models)) or "none"
            raise ConfigError(f"the recording {folder} has no answers of the model {name!r}, but of: {known}")

    def reply(self, messages: Sequence[Message], tools: Sequence[Schema], *, episode: str = "") -> Reply:
        """The recorded answer.

        Raises:
            ContextOverflowError: the recorded model said so.
            ModelError: this was never asked; the message shows where the nearest recorded question differs.
        """
        question = Question(self.name, episode, messages, tools)
        turn = self._turns[question.key]
        answer = self._recording.answers.get((question.key, turn))
        if answer is None:
            raise ModelError(self._recording.miss(question))
        self._turns[question.key] += 1
        if "overflow" in answer:
            raise ContextOverflowError(answer["overflow"])
        return REPLY.validate_python(answer["reply"])


@dataclass
class Recording:
    """What was recorded, in memory."""

    folder: Path
    parts: dict[str, Any] = field(default_factory=dict)
    lines: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)

    def add(self, line: dict[str, Any]) -> None:
        """Take in one line of the file."""
        if line["type"] == "part":
            self.parts[line["id"]] = line["value"]
            return
        self.lines.append(line)
        self.answers[line["key"], line["turn"]] = line

    def miss(self, question: Question) -> str:
        """Which question has no answer, and where the nearest one that has differs."""
        same = [line for line in self.lines if line["model"] == question.model]
        near = max(same, key=lambda line: _nearness(line, question))
        return (
            f"{self.folder} has no answer to a question of {_title(question.episode)} "
            f"with {len(question.messages)} messages; the nearest question that was recorded, of "
            f"{_title(near['episode'])}, {self._difference(near, question)}"
        )

    def _difference(self, near: dict[str, Any], question: Question) -> str:
        for name in ("messages", "tools"):
            theirs, ours = near[name], getattr(question, name)
            for index in range(max(len(theirs), len(ours))):
                before, now = theirs[index : index + 1], ours[index : index + 1]
                if before == now:
                    continue
                if not before or not now:
                    return f"has {len(theirs)} {name}"
                changed = _compare(self.parts.get(before[0]), question.parts[now[0]])
                return f"differs first in {name[:-1]} {index + 1}: {changed}"
        if near["episode"] != question.episode:
            return "asks the same in another episode: replay the recorded tasks and seeds"
        return f"has been answered {near['turn'] + 1} time(s), and not once more"


@lru_cache(maxsize=4)
def _read(path: Path, _size: int, _modified: int) -> Recording:
    """Read a recording; the file's size and time are there so that a changed one is read anew."""
    recording = Recording(path.parent)
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            try:
                line = json.loads(text)
            except ValueError:
                continue  # a process was killed while it wrote this; nobody has heard that answer
            if line.get("format", FORMAT) != FORMAT:
                raise ConfigError(
                    f"{path}, line {number}: format {line['format']} cannot be read; record anew"
                )
            recording.add(line)
    return recording


def _load(folder: Path) -> Recording:
    path = folder.absolute() / FILE
    try:
        stat = path.stat()
    except OSError as error:
        raise ConfigError(f"there is no recording in {folder}: {error.strerror}") from None
    return _read(path, stat.st_size, stat.st_mtime_ns)


def _title(episode: str) -> str:
    return episode or "an unnamed episode"


def _nearness(line: dict[str, Any], question: Question) -> tuple[int, bool, int]:
    """How many messages agree from the start on, whether it is the same episode, how often it was asked."""
    pairs = zip(line["messages"], question.messages, strict=False)
    agree = 0
    for ours, theirs in pairs:
        if ours != theirs:
            break
        agree += 1
    return agree, line["episode"] == question.episode, line["turn"]


def _compare(before: object, now: object) -> str:
    """Where two JSON values differ first, with a little of what is around."""
    old, new = [json.dumps(value, ensure_ascii=False, sort_keys=True) for value in (before, now)]
    start = next((i for i, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), 0)
    begin, end = max(0, start - AROUND), start + AROUND
    return f"recorded {old[begin:end]!r}, now {new[begin:end]!r}"
