"""Folders that change while the gym runs: a task goes on with the state in which it was begun."""

import hashlib
import os
import threading
import time
from dataclasses import dataclass

from debug_gym.task import DirectorySource, Source, Task

SHARE = 20
"""Looking at a folder takes at most one part in so many of the time: a large one is looked at less often."""


@dataclass(frozen=True)
class _Look:
    """What was seen of a folder."""

    state: str
    next: float
    """When it is time to look again, by ``time.monotonic``."""


_looks: dict[DirectorySource, _Look] = {}
_lock = threading.Lock()


def pinned(task: Task) -> Task:
    """The task with its source pinned: what is started, forked and judged of it has the same files."""
    return task.model_copy(update={"source": pin(task.source)})


def pin(source: Source) -> Source:
    """The source, of a folder with a digest of the names, sizes and times of its files now. A source with a
    ``state`` stays as it is."""
    if not isinstance(source, DirectorySource) or source.state:
        return source
    with _lock:
        began = time.monotonic()
        look = _looks.get(source)
        if look is None or look.next <= began:
            state = _state(source)
            ended = time.monotonic()
            look = _looks[source] = _Look(state, ended + SHARE * (ended - began))
    return source.model_copy(update={"state": look.state})


def _state(source: DirectorySource) -> str:
    seen = []
    folders = [str(source.path)]
    for folder in folders:
        try:
            with os.scandir(folder) as found:
                entries = {entry.name: entry for entry in found}
        except OSError:
            continue
        for name in sorted(entries.keys() - source.left_out(folder, entries)):
            entry = entries[name]
            try:
                status, is_folder = entry.stat(follow_symlinks=False), entry.is_dir(follow_symlinks=False)
            except OSError:
                continue
            changed = 0 if is_folder else status.st_mtime_ns
            seen.append(f"{entry.path}\0{status.st_mode} {status.st_size} {changed}")
            if is_folder:
                folders.append(entry.path)
    return hashlib.sha256(os.fsencode("\0".join(seen))).hexdigest()[:16]


def _renew_lock() -> None:
    """In a forked copy of the process: the thread that held the lock is not here."""
    global _lock  # noqa: PLW0603 - the one place where it can be done
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)
