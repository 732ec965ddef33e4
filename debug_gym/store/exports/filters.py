"""Which episodes are fit to learn from, and why the others are not."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath

from pydantic import Field

from debug_gym.store.exports.conversations import Conversation
from debug_gym.task import (
    ArchiveSource,
    DirectorySource,
    Frozen,
    GitSource,
    ImageSource,
    Task,
)

_VERSION = re.compile(r"[-_]v?\d.*$|\.(tar|zip).*$")
_NOT_IN_PROBLEMS = re.compile(r"\W+")


class Filters(Frozen):
    """What is left out."""

    unresolved: bool = True
    cheating: bool = True
    """Episodes in which the judge found that something cheats."""
    repeated_failures: bool = True
    """Episodes in which a call that was wrong is made again as it was, right after."""
    duplicates: bool = True
    """Episodes whose calls and opening are those of another one."""
    max_steps: int | None = Field(default=None, ge=1)
    """Longer ones, in calls. None: any length."""
    max_characters: int | None = Field(default=None, ge=1)
    """Longer ones, in characters of the whole conversation. None: any length."""


@dataclass(frozen=True)
class Reserved:
    """What a model will be evaluated on, and must not learn from."""

    tasks: frozenset[tuple[str, str]] = frozenset()
    """Benchmark and id."""
    problems: frozenset[str] = frozenset()
    """Digests of problems: the same task under another name."""
    repositories: frozenset[str] = frozenset()

    @classmethod
    def of(cls, tasks: Iterable[Task]) -> "Reserved":
        """All that these tasks reserve."""
        tasks = list(tasks)
        return cls(
            frozenset((task.benchmark, task.id) for task in tasks),
            frozenset(digest(task.problem) for task in tasks),
            frozenset(name for task in tasks if (name := repository(task)) is not None),
        )


TaskOf = Callable[[Conversation], Task | None]
"""The task of an episode, where it can be had."""


@dataclass
class Sieve:
    """Lets fit episodes pass, and counts the others by what is wrong with them."""

    filters: Filters = field(default_factory=Filters)
    reserved: Reserved = Reserved()
    task_of: TaskOf = lambda conversation: None
    kept: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    _seen: set[str] = field(default_factory=set)

    def pass_through(self, conversations: Iterable[Conversation]) -> Iterator[Conversation]:
        """Those that are fit."""
        for conversation in conversations:
            if reason := self.reason(conversation):
                self.left_out[reason] += 1
            else:
                self.kept += 1
                yield conversation

    def reason(self, conversation: Conversation) -> str:
        """Why an episode is left out; empty: it is kept, and another one like it is a duplicate."""
        filters, calls = self.filters, conversation.calls
        offered = {schema["function"]["name"] for schema in conversation.tools}
        checks = {
            "unresolved": filters.unresolved and not conversation.resolved,
            "cheating": filters.cheating and conversation.cheating > 0,
            "without a call": not calls,
            "with a tool that the learner does not have": any(call["name"] not in offered for call in calls),
            "too long": _over(len(calls), filters.max_steps)
            or _over(conversation.characters, filters.max_characters),
            "repeating a failed call": filters.repeated_failures and _repeats(conversation),
            "of a reserved task": self._reserved_task(conversation),
            "of a reserved repository": self._reserved_repository(conversation),
        }
        if reason := next((name for name, wrong in checks.items() if wrong), ""):
            return reason
        mark = digest(json.dumps([conversation.messages[:2], calls]))
        if filters.duplicates and mark in self._seen:
            return "duplicate"
        self._seen.add(mark)
        return ""

    def summary(self) -> str:
        """What was kept and left out, in a sentence."""
        counted = ", ".join(f"{count} {reason}" for reason, count in self.left_out.most_common())
        total = self.kept + self.left_out.total()
        return f"{self.kept} of {total} episodes" + (f"; left out: {counted}" if counted else "")

    def _reserved_task(self, conversation: Conversation) -> bool:
        if (conversation.benchmark, conversation.task) in self.reserved.tasks:
            return True
        task = self.task_of(conversation) if self.reserved.problems else None
        return task is not None and digest(task.problem) in self.reserved.problems

    def _reserved_repository(self, conversation: Conversation) -> bool:
        task = self.task_of(conversation) if self.reserved.repositories else None
        return task is not None and repository(task) in self.reserved.repositories


def repository(task: Task) -> str | None:
    """What tells one repository from another, whatever its version; None: the task has none of its own."""
    if isinstance(named := task.metadata.get("repo"), str):
        return named.casefold()
    match task.source:
        case GitSource(url=url, subfolder=subfolder):
            address = re.sub(r"^\w+://(www\.)?|\.git$|/$", "", url).casefold()
            parts = address.split("/")
            name = "/".join(parts[-2:]) if len(parts) > 2 and "." in parts[0] else address
            return f"{name}/{subfolder}" if subfolder else name
        case ArchiveSource(path=path):
            return _VERSION.sub("", PurePath(path).name).casefold()
        case DirectorySource(path=path):
            return str(path.resolve())
        case ImageSource(image=image):
            return image.rpartition(":")[0] or image
    return None


def digest(text: str) -> str:
    """Equal for texts that differ in spaces and punctuation alone."""
    return hashlib.sha256(_NOT_IN_PROBLEMS.sub(" ", text).strip().encode()).hexdigest()


def _over(number: int, limit: int | None) -> bool:
    return limit is not None and number > limit


def _repeats(conversation: Conversation) -> bool:
    calls = conversation.calls
    failed = zip(conversation.failed, conversation.failed[1:], strict=False)
    pairs = zip(calls, calls[1:], failed, strict=False)
    return any(first == second and all(wrong) for first, second, wrong in pairs)
