"""Harvest: read what changed in a workspace, from the host, trusting nothing that lies there.

Never by running git or anything else in the agent's tree: see ``server.harvest`` for how it is read.
"""

import os
import stat
from collections.abc import Iterator, Set
from contextlib import contextmanager

from debug_gym.sandbox.results import Changes, FileEntry
from debug_gym.sandbox.server.harvest import CACHES, FOLDER, MAX_FILE, SKIPPED, Harvester, content


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
                _take_changed(harvester, folder, entry.name, path, base)
        if len(gone) == len(entries):
            before = _names(base, prefix[:-1], ignored)
            harvester.take_empty(prefix[:-1], before, None if opaque else gone)
    harvester.deleted -= present
    return _changes(harvester)


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
                _take_changed(harvester, folder, entry.name, prefix + entry.name, base)
    unseen = tuple(harvester.unseen)
    before = _files_below(base, "", ignored)
    harvester.deleted.update(path for path in before if path not in present and not path.startswith(unseen))
    return _changes(harvester)


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
    return _changes(harvester)


def _changes(harvester: Harvester) -> Changes:
    files = {path: FileEntry(*entry) for path, entry in harvester.files.items()}
    deleted, empty = tuple(sorted(harvester.deleted)), tuple(sorted(harvester.empty))
    return Changes(files=files, deleted=deleted, empty=empty, skipped=tuple(harvester.skipped()))


def _take_changed(harvester: Harvester, folder: int, name: str, path: str, base: int) -> None:
    """Take an entry, unless it is what the base has at this path."""
    if not _is_unchanged(folder, name, base, path):
        harvester.take(folder, name, path)


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
            below = os.open(name, FOLDER, dir_fd=folder)
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
            top = os.open(name or ".", FOLDER, dir_fd=folder)
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
            folder = os.open(name or ".", FOLDER, dir_fd=above)
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
            return now.st_size > MAX_FILE or content(folder, name) == content(before, last)
    except OSError:
        return False
