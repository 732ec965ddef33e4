"""Harvest: read what changed in a workspace, from the host, trusting nothing that lies there.

Only ``openat`` with O_NOFOLLOW relative to a folder's descriptor; regular files and links only; bounded in
size, number and depth; whatever vanishes or changes meanwhile is left out. Never by running git or anything
else in the agent's tree.
"""

import os
import stat
from collections.abc import Iterator, Set
from contextlib import contextmanager

from debug_gym.sandbox.base import Changes, FileEntry

MAX_FILE, MAX_TOTAL, MAX_FILES, MAX_DEPTH = 8 << 20, 64 << 20, 20_000, 40
MAX_PATH = 4000
"""Bytes. What lies deeper cannot be named in one system call, so nobody could lay it down again."""
MAX_SKIPPED = 1000
"""Skipped paths that are named; the rest is counted."""
CACHES = frozenset({"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", "pytest-of-agent"})
SKIPPED = CACHES | {".git"}
"""Folders that are no part of a solution, at any depth."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Harvester:
    """Collects entries within the bounds."""

    def __init__(self, ignored: frozenset[str] = SKIPPED) -> None:
        self.ignored = ignored
        self.files: dict[str, FileEntry] = {}
        self.deleted: set[str] = set()
        self.empty: list[str] = []
        self.unseen: list[str] = []
        """Folders that could not be looked into, each with a slash at its end."""
        self.total = 0
        self._skipped: list[str] = []
        self._uncounted = 0

    def changes(self) -> Changes:
        """What was collected."""
        more = [f"{self._uncounted} more paths: not listed"] if self._uncounted else []
        skipped = (*sorted(self._skipped), *more)
        deleted, empty = tuple(sorted(self.deleted)), tuple(sorted(self.empty))
        return Changes(files=self.files, deleted=deleted, empty=empty, skipped=skipped)

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

    def take_changed(self, folder: int, name: str, path: str, base: int) -> None:
        """The same, unless it is what the base has at this path."""
        if not _is_unchanged(folder, name, base, path):
            self.take(folder, name, path)

    def take_empty(self, path: str, before: Set[str] | None = None, gone: Set[str] | None = None) -> None:
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

    def _entry(self, folder: int, name: str, path: str) -> FileEntry:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if len(self.files) >= MAX_FILES or self.total > MAX_TOTAL:
            raise ValueError("too many files")
        if len(os.fsencode(path)) > MAX_PATH:
            raise ValueError("the path is too long")
        if stat.S_ISLNK(status.st_mode):
            return FileEntry(link=os.readlink(name, dir_fd=folder))
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("not a regular file")
        room = min(MAX_FILE, MAX_TOTAL - self.total)
        if status.st_size > room:
            raise ValueError(f"too large ({status.st_size} bytes)")
        data = _content(folder, name)
        if data is None:
            raise ValueError("not a regular file")
        if len(data) > room:
            raise ValueError("too large")
        return FileEntry(data=data, mode=stat.S_IMODE(status.st_mode) & 0o777)

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
        with os.scandir(folder) as found:
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
            return os.open(name, _FOLDER, dir_fd=folder)
        except FileNotFoundError:
            return None
        except OSError as error:
            self.skip(path, error.strerror or "unreadable")
            return None


def harvest_upper(upper: int, base: int, ignored: frozenset[str] = SKIPPED) -> Changes:
    """Changes from an overlay's upper folder: O(what changed).

    A file in whose place there is a folder now is among the deleted, and so are the files of a folder in
    whose place there is a file.

    Args:
        upper: descriptor of the upper folder. A whiteout (character device 0:0) marks a deleted path, the
            attribute ``user.overlay.opaque`` a folder that replaces the base's.
        base: descriptor of the base's tree, to tell which paths went with an opaque folder.
        ignored: names of folders to leave out.
    """
    harvester = Harvester(ignored)
    present: set[str] = set()
    for folder, prefix, entries in harvester.folders(upper):
        opaque = bool(prefix) and _is_opaque(folder)
        if opaque:
            harvester.deleted.update(_files_below(base, prefix[:-1], ignored))
        gone: set[str] = set()
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                continue
            path = prefix + entry.name
            harvester.deleted.update(_files_below(base, path, ignored))
            if _is_whiteout(folder, entry.name):
                gone.add(entry.name)
            else:
                present.add(path)
                harvester.take_changed(folder, entry.name, path, base)
        if len(gone) == len(entries):
            before = _names(base, prefix[:-1], ignored)
            harvester.take_empty(prefix[:-1], before, None if opaque else gone)
    harvester.deleted -= present
    return harvester.changes()


def harvest_tree(tree: int, base: int, ignored: frozenset[str] = SKIPPED) -> Changes:
    """Changes by comparing a whole tree with its base: O(repository), for backends without an overlay."""
    harvester = Harvester(ignored)
    present: set[str] = set()
    for folder, prefix, entries in harvester.folders(tree):
        if not entries:
            harvester.take_empty(prefix[:-1], _names(base, prefix[:-1], ignored))
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                present.add(prefix + entry.name)
                harvester.take_changed(folder, entry.name, prefix + entry.name, base)
    unseen = tuple(harvester.unseen)
    before = _files_below(base, "", ignored)
    harvester.deleted.update(path for path in before if path not in present and not path.startswith(unseen))
    return harvester.changes()


def with_text_names(changes: Changes) -> Changes:
    """The same changes without paths that are no UTF-8, which no JSON, patch or report can hold: they are
    listed among the skipped ones, with those bytes escaped."""
    unclear = [path for path in (*changes.files, *changes.deleted, *changes.empty) if not _is_text(path)]
    skipped = [*changes.skipped, *(f"{path}: its name is not valid UTF-8" for path in unclear)]
    return Changes(
        files={path: entry for path, entry in changes.files.items() if _is_text(path)},
        deleted=tuple(filter(_is_text, changes.deleted)),
        empty=tuple(filter(_is_text, changes.empty)),
        skipped=tuple(sorted(map(_escaped, skipped))),
    )


def _is_text(path: str) -> bool:
    return _escaped(path) == path


def _escaped(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def harvest_folder(folder: int, name: str) -> Changes:
    """Everything below a folder but caches, as if all of it were new; paths begin with ``name``."""
    harvester = Harvester(CACHES)
    for below, prefix, entries in harvester.folders(folder):
        if prefix and not entries:
            harvester.take_empty(f"{name}/{prefix[:-1]}")
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                harvester.take(below, entry.name, f"{name}/{prefix}{entry.name}")
    return harvester.changes()


def _is_opaque(folder: int) -> bool:
    try:
        return os.getxattr(folder, "user.overlay.opaque") == b"y"
    except OSError:
        return False


def _is_whiteout(folder: int, name: str) -> bool:
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


@contextmanager
def _parent(root: int, path: str) -> Iterator[tuple[int, str]]:
    """The open folder that holds a path below a root, and the last name; no part of the way may be a link.

    Raises:
        OSError: there is no such folder.
    """
    *names, last = path.split("/")
    folder = os.dup(root)
    try:
        for name in names:
            below = os.open(name, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = below
        yield folder, last
    finally:
        os.close(folder)


def _files_below(base: int, path: str, ignored: frozenset[str]) -> list[str]:
    """All files and links of the base at or below a path (empty: all)."""
    walker = Harvester(ignored)
    try:
        with _parent(base, path) as (folder, name):
            if name and not stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                return [path]
            top = os.open(name or ".", _FOLDER, dir_fd=folder)
    except OSError:
        return []
    try:
        return [
            prefix + entry.name
            for _, prefix, entries in walker.folders(top, path and path + "/")
            for entry in entries
            if not entry.is_dir(follow_symlinks=False)
        ]
    finally:
        os.close(top)


def _names(base: int, path: str, ignored: Set[str]) -> set[str] | None:
    """What the base has in a folder; None: it has no such folder."""
    try:
        with _parent(base, path) as (above, name):
            folder = os.open(name or ".", _FOLDER, dir_fd=above)
    except OSError:
        return None
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries} - ignored
    finally:
        os.close(folder)


def _is_unchanged(folder: int, name: str, base: int, path: str) -> bool:
    """Whether an entry is what the base has at a path. Files too large to harvest are told by their size."""
    try:
        with _parent(base, path) as (before, last):
            now, then = (
                os.stat(at, dir_fd=fd, follow_symlinks=False) for at, fd in ((name, folder), (last, before))
            )
            if stat.S_IFMT(now.st_mode) != stat.S_IFMT(then.st_mode):
                return False
            if stat.S_ISLNK(now.st_mode):
                return os.readlink(name, dir_fd=folder) == os.readlink(last, dir_fd=before)
            if (now.st_mode & 0o777, now.st_size) != (then.st_mode & 0o777, then.st_size):
                return False
            return now.st_size > MAX_FILE or _content(folder, name) == _content(before, last)
    except OSError:
        return False


def _content(folder: int, name: str) -> bytes | None:
    """The content of a regular file, at most a byte more than is harvested; None if it is none."""
    with os.fdopen(os.open(name, _FILE, dir_fd=folder), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            return None
        return file.read(min(status.st_size, MAX_FILE) + 1)  # a buffer of that size is made for it
