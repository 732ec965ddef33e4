"""Harvest: read what changed in a workspace, from the host, trusting nothing that lies there.

Only ``openat`` with O_NOFOLLOW relative to a folder's descriptor; regular files and links only; bounded in
size, number and depth. Never by running git or anything else in the agent's tree.
"""

import os
import stat
from collections.abc import Iterator

from debug_gym.sandbox.base import Changes, FileEntry

MAX_FILE, MAX_TOTAL, MAX_FILES, MAX_DEPTH = 8 << 20, 64 << 20, 20_000, 40
CACHES = frozenset({"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", "pytest-of-agent"})
SKIPPED = CACHES | {".git"}
"""Folders that are no part of a solution, at any depth."""


class Harvester:
    """Collects entries within the bounds."""

    def __init__(self, ignored: frozenset[str] = SKIPPED) -> None:
        self.ignored = ignored
        self.files: dict[str, FileEntry] = {}
        self.deleted: list[str] = []
        self.skipped: list[str] = []
        self.total = 0

    def changes(self) -> Changes:
        """What was collected."""
        return Changes(
            files=self.files, deleted=tuple(sorted(self.deleted)), skipped=tuple(sorted(self.skipped))
        )

    def take(self, folder: int, name: str, path: str, status: os.stat_result) -> None:
        """Read one file or link."""
        if len(self.files) >= MAX_FILES:
            self._skip(path, "too many files")
        elif stat.S_ISLNK(status.st_mode):
            self.files[path] = FileEntry(link=os.readlink(name, dir_fd=folder))
        elif not stat.S_ISREG(status.st_mode):
            self._skip(path, "not a regular file")
        elif status.st_size > MAX_FILE or self.total + status.st_size > MAX_TOTAL:
            self._skip(path, f"too large ({status.st_size} bytes)")
        else:
            self._read(folder, name, path)

    def _read(self, folder: int, name: str, path: str) -> None:
        try:
            fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError as error:
            return self._skip(path, error.strerror or "unreadable")
        with os.fdopen(fd, "rb") as file:
            status = os.fstat(fd)
            data = file.read(MAX_FILE + 1) if stat.S_ISREG(status.st_mode) else b""
        if len(data) > MAX_FILE:
            return self._skip(path, "too large")
        self.total += len(data)
        self.files[path] = FileEntry(data=data, mode=stat.S_IMODE(status.st_mode) & 0o777)
        return None

    def _skip(self, path: str, reason: str) -> None:
        self.skipped.append(f"{path}: {reason}")

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
            if depth >= MAX_DEPTH:
                self._skip(prefix + entry.name, "too deep")
                continue
            try:
                below = os.open(entry.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            except OSError as error:
                self._skip(prefix + entry.name, error.strerror or "unreadable")
                continue
            try:
                yield from self.folders(below, f"{prefix}{entry.name}/", depth + 1)
            finally:
                os.close(below)


def harvest_upper(upper: int, base: int, ignored: frozenset[str] = SKIPPED) -> Changes:
    """Changes from an overlay's upper folder: O(what changed).

    Args:
        upper: descriptor of the upper folder. A whiteout (character device 0:0) marks a deleted path, the
            attribute ``user.overlay.opaque`` a folder that replaces the base's.
        base: descriptor of the base's tree, to tell which paths went with an opaque folder.
        ignored: names of folders to leave out.
    """
    harvester = Harvester(ignored)
    for folder, prefix, entries in harvester.folders(upper):
        if prefix and _is_opaque(folder):
            kept = {entry.name for entry in entries}
            harvester.deleted += [
                path for path in _base_files(base, prefix) if path[len(prefix) :].split("/")[0] not in kept
            ]
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            path = prefix + entry.name
            if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
                harvester.deleted += _base_files(base, path)
            elif not stat.S_ISDIR(status.st_mode):
                harvester.take(folder, entry.name, path, status)
    return _without_unchanged(harvester.changes(), base)


def _is_opaque(folder: int) -> bool:
    try:
        return os.getxattr(folder, "user.overlay.opaque") == b"y"
    except OSError:
        return False


def _base_files(base: int, path: str) -> list[str]:
    """All files of the base at or below a path."""
    walker = Harvester()
    path = path.rstrip("/")
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=base)
    except NotADirectoryError:
        return [path]
    except OSError:
        return [path] if os.access(path, os.F_OK, dir_fd=base, follow_symlinks=False) else []
    try:
        return [
            prefix + entry.name
            for _, prefix, entries in walker.folders(fd, path + "/")
            for entry in entries
            if not entry.is_dir(follow_symlinks=False)
        ]
    finally:
        os.close(fd)


def _without_unchanged(changes: Changes, base: int) -> Changes:
    """Leave out files that were written with what they held already."""
    files = {path: entry for path, entry in changes.files.items() if entry != entry_at(base, path)}
    return Changes(files=files, deleted=changes.deleted, skipped=changes.skipped)


def entry_at(folder: int, path: str) -> FileEntry | None:
    """The entry at a path below a trusted folder, no part of which may be a link; None if there is none."""
    harvester = Harvester()
    *parents, name = path.split("/")
    opened: list[int] = []
    try:
        for parent in parents:
            folder = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            opened.append(folder)
        harvester.take(folder, name, path, os.stat(name, dir_fd=folder, follow_symlinks=False))
    except OSError:
        return None
    finally:
        for fd in opened:
            os.close(fd)
    return harvester.files.get(path)


def harvest_tree(tree: int, base: int, ignored: frozenset[str] = SKIPPED) -> Changes:
    """Changes by comparing a whole tree with its base: O(repository), for backends without an overlay."""
    now, before = _all(tree, ignored), _all(base, ignored)
    files = {path: entry for path, entry in now.files.items() if before.files.get(path) != entry}
    return Changes(
        files=files, deleted=tuple(sorted(before.files.keys() - now.files.keys())), skipped=now.skipped
    )


def harvest_folder(folder: int) -> Changes:
    """Everything below a folder but caches, as if all of it were new."""
    return _all(folder, CACHES)


def _all(root: int, ignored: frozenset[str] = SKIPPED) -> Changes:
    harvester = Harvester(ignored)
    for folder, prefix, entries in harvester.folders(root):
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                harvester.take(folder, entry.name, prefix + entry.name, entry.stat(follow_symlinks=False))
    return harvester.changes()
