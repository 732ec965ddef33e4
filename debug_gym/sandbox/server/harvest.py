"""What is collected of a folder that code under test could write to, by whom so ever: bounded, and careful.

Only ``openat`` with O_NOFOLLOW relative to a folder's descriptor; regular files and links only; bounded in
size, number and depth; whatever vanishes or changes meanwhile is left out.
"""

from __future__ import annotations

import os
import stat
import sys
from typing import AbstractSet, ContextManager, Iterator, NamedTuple, Optional

MAX_FILE, MAX_TOTAL, MAX_FILES, MAX_DEPTH = 8 << 20, 64 << 20, 20_000, 40
MAX_PATH = 4000
"""Bytes. What lies deeper cannot be named in one system call, so nobody could lay it down again."""
MAX_SKIPPED = 1000
"""Skipped paths that are named; the rest is counted."""
CACHES = frozenset({"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", "pytest-of-agent"})
SKIPPED = CACHES | {".git"}
"""Folders that are no part of a solution, at any depth."""

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Entry(NamedTuple):
    """One path."""

    data: Optional[bytes] = None
    """Content of a regular file; None for a link."""
    mode: int = 0o644
    link: Optional[str] = None
    """Target of a symbolic link."""


class Harvester:
    """Collects entries within the bounds."""

    def __init__(self, ignored: frozenset[str] = SKIPPED) -> None:
        self.ignored = ignored
        self.files: dict[str, Entry] = {}
        self.deleted: set[str] = set()
        self.empty: list[str] = []
        self.unseen: list[str] = []
        """Folders that could not be looked into, each with a slash at its end."""
        self.total = 0
        self._skipped: list[str] = []
        self._uncounted = 0

    def skipped(self) -> list[str]:
        """What was left out, sorted, each as ``path: reason``."""
        more = ["%d more paths: not listed" % self._uncounted] if self._uncounted else []
        return [*sorted(self._skipped), *more]

    def take(self, folder: int, name: str, path: str) -> None:
        """Read one file or link; say why not, if it cannot be had."""
        try:
            entry = self._entry(folder, name, path)
        except FileNotFoundError:
            return  # it went away meanwhile
        except OSError as error:
            self.skip(path, error.strerror or "unreadable")
        except ValueError as error:
            self.skip(path, str(error))
        else:
            self.total += len(path) + len(entry.data or entry.link or "")
            self.files[path] = entry

    def take_empty(
        self, path: str, before: AbstractSet[str] | None = None, gone: AbstractSet[str] | None = None
    ) -> None:
        """Note a folder in which nothing was found; not if it is empty in the base too, or if it still has
        some of what the base has in it.

        Args:
            path: of the folder; of the top itself there is nothing to note.
            before: what the base has in it; None: the base has no such folder.
            gone: what of that is no longer there; None: all of it.
        """
        left = (before or set()) - gone if gone is not None else set()
        if path and before != set() and not left and len(self.empty) < MAX_FILES:
            self.empty.append(path)

    def _entry(self, folder: int, name: str, path: str) -> Entry:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if len(self.files) >= MAX_FILES or self.total > MAX_TOTAL:
            raise ValueError("too many files")
        if len(os.fsencode(path)) > MAX_PATH:
            raise ValueError("the path is too long")
        if stat.S_ISLNK(status.st_mode):
            return Entry(link=os.readlink(name, dir_fd=folder))
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("not a regular file")
        room = min(MAX_FILE, MAX_TOTAL - self.total)
        if status.st_size > room:
            raise ValueError("too large (%d bytes)" % status.st_size)
        data = content(folder, name)
        if data is None:
            raise ValueError("not a regular file")
        if len(data) > room:
            raise ValueError("too large")
        return Entry(data=data, mode=stat.S_IMODE(status.st_mode) & 0o777)

    def skip(self, path: str, reason: str) -> None:
        """Leave a path out, and say so."""
        if len(self._skipped) < MAX_SKIPPED:
            self._skipped.append(f"{path}: {reason}")
        else:
            self._uncounted += 1

    def folders(
        self, folder: int, prefix: str = "", depth: int = 0
    ) -> Iterator[tuple[int, str, list[os.DirEntry[str]]]]:
        """Walk below an open folder: (descriptor, prefix, its entries without those to skip)."""
        with scan(folder) as found:
            entries = sorted(
                (entry for entry in found if entry.name not in self.ignored), key=lambda entry: entry.name
            )
        yield folder, prefix, entries
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                continue
            path = prefix + entry.name
            below = self._below(folder, entry.name, path, depth)
            if below is None:
                self.unseen.append(path + "/")
                continue
            try:
                yield from self.folders(below, path + "/", depth + 1)
            finally:
                os.close(below)

    def _below(self, folder: int, name: str, path: str, depth: int) -> int | None:
        if depth >= MAX_DEPTH or len(os.fsencode(path)) > MAX_PATH:
            self.skip(path, "too deep")
            return None
        try:
            return os.open(name, FOLDER, dir_fd=folder)
        except FileNotFoundError:
            return None
        except OSError as error:
            self.skip(path, error.strerror or "unreadable")
            return None


def scan(folder: int) -> ContextManager[Iterator[os.DirEntry[str]]]:
    """``os.scandir`` of an open folder, also in Python 3.6, which takes none."""
    return os.scandir(folder if sys.version_info >= (3, 7) else "/proc/self/fd/%d" % folder)


def content(folder: int, name: str) -> bytes | None:
    """The content of a regular file, at most a byte more than is harvested; None if it is none."""
    with os.fdopen(os.open(name, FILE, dir_fd=folder), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            return None
        return file.read(min(status.st_size, MAX_FILE) + 1)  # a buffer of that size is made for it
