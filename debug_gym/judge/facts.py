"""What untouched repositories have answered the judge, kept in memory for later verdicts on the same task."""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from debug_gym.sandbox import Backend, TestRun
from debug_gym.sandbox.pinning import pinned
from debug_gym.sandbox.results import DirEntry
from debug_gym.task import Task

_MOST_TASKS = 64
"""Tasks at most whose facts are kept; those unused for longest go."""
_LONGEST, _WIDEST = 1 << 20, 10_000
"""Characters of a text, and entries of a listing, at most that are kept."""


@dataclass
class Facts:
    """About one repository in one state, as one backend shows it."""

    texts: dict[str, str | None] = field(default_factory=dict)
    """Path to the text of the file; None: there is none that can be read."""
    listings: dict[int, list[DirEntry]] = field(default_factory=dict)
    """Depth to what lies in the workspace."""
    mentions: dict[str, frozenset[str]] = field(default_factory=dict)
    """Pattern to the Python files that match it."""
    run: TestRun | None = None
    """All visible tests, with the hidden files."""

    def keep_text(self, path: str, text: str | None) -> None:
        """Remember a text, unless it is very long."""
        if text is None or len(text) <= _LONGEST:
            self.texts[path] = text

    def keep_listing(self, depth: int, found: list[DirEntry]) -> None:
        """Remember a listing, unless it is very long."""
        if len(found) <= _WIDEST:
            self.listings[depth] = found


_facts: OrderedDict[str, Facts] = OrderedDict()
_lock = threading.Lock()


def facts_of(task: Task, backend: Backend) -> Facts:
    """What is known of a task's repository; whoever finds out more adds it."""
    hidden = hashlib.sha256(task.tests.model_dump_json(include={"hidden"}).encode()).hexdigest()
    key = f"{backend.name} {hidden} {pinned(task).for_agent().model_dump_json()}"
    with _lock:
        facts = _facts.setdefault(key, Facts())
        _facts.move_to_end(key)
        if len(_facts) > _MOST_TASKS:
            _facts.popitem(last=False)
    return facts
