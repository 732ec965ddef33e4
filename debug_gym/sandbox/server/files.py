"""Files of the workspace, from inside: read, write, list, and lay a snapshot down."""

from __future__ import annotations

import os
import stat
from functools import partial
from typing import Any, Callable

from .harvest import scan
from .wire import Frame

SKIPPED = frozenset([".git", "__pycache__", ".pytest_cache"])
"""Names that listings leave out: not the repository's own files."""
MAX_DEPTH = 100
"""Folders below each other that a listing or a search goes into."""


def inside(root: str, path: str) -> str:
    """The real path of ``path`` (relative to ``root``), which must lie in ``root``, links followed."""
    if "\0" in path:
        raise ValueError("a path cannot hold a NUL character")
    real = os.path.realpath(os.path.join(root, path))
    if real != root and not real.startswith(root + os.sep):
        raise PermissionError(13, "the path leads out of the workspace", path)
    return real


def read(root: str, request: dict[str, Any]) -> Frame:
    """``path``, ``limit`` -> the content as blob, ``mode``."""
    path = request["path"]
    target = inside(root, path)
    fd = os.open(target, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(21, "is a folder, not a file", path)
        if not (stat.S_ISREG(status.st_mode) and is_at(fd, target)):
            raise PermissionError(13, "is not a regular file", path)
        if status.st_size > request["limit"]:
            raise ValueError(
                "%s has %d bytes, more than the limit of %d" % (path, status.st_size, request["limit"])
            )
        return {"mode": stat.S_IMODE(status.st_mode)}, file.read()


def write(root: str, request: dict[str, Any], blob: bytes) -> Frame:
    """``path``, ``mode`` or None; the content is the blob. Folders are made. Written in place: the mode, the
    owner and hard links of an existing file stay."""
    target = inside(root, request["path"])
    if os.path.isdir(target):
        raise IsADirectoryError(21, "is a folder, not a file", request["path"])
    os.makedirs(os.path.dirname(target), exist_ok=True)
    _put(target, blob, request.get("mode"))
    return {}, b""


def _put(target: str, data: bytes, mode: int | None) -> None:
    fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        if not (stat.S_ISREG(os.fstat(fd).st_mode) and is_at(fd, target)):
            raise PermissionError(13, "is not a regular file", target)
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.ftruncate(fd, len(data))
        if mode is not None:
            os.fchmod(fd, mode)
    finally:
        os.close(fd)


def is_at(fd: int, path: str) -> bool:
    """An open file lies at this very path. If a link came into the path since it was resolved, it does not:
    what this process can open and the code in the sandbox cannot, it must not hand out."""
    return os.readlink("/proc/self/fd/%d" % fd) == path


def listdir(root: str, request: dict[str, Any]) -> Frame:
    """``path``, ``depth``, ``limit`` -> ``entries``: [path below it, kind, size], depth first; ``more``."""
    top = inside(root, request["path"])
    if not os.path.isdir(top):
        os.stat(top)
        raise NotADirectoryError(20, "is a file, not a folder", request["path"])
    entries: list[list[Any]] = []
    limit = request["limit"]

    def walk(folder: str, prefix: str, depth: int) -> None:
        with os.scandir(folder) as found:
            ordered = sorted(found, key=lambda entry: entry.name)
        for entry in ordered:
            if entry.name in SKIPPED:
                continue
            if len(entries) > limit:
                return
            kind = _kind(entry)
            try:
                size = entry.stat(follow_symlinks=False).st_size if kind == "file" else 0
            except FileNotFoundError:
                continue  # it went away meanwhile
            entries.append([prefix + entry.name, kind, size])
            if kind == "dir" and depth > 1:
                try:
                    walk(entry.path, prefix + entry.name + "/", depth - 1)
                except OSError:
                    continue  # unreadable, gone, or too deep: it is listed, but not what is in it

    walk(top, "", min(request["depth"], MAX_DEPTH))
    return {"entries": entries[:limit], "more": len(entries) > limit}, b""


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return "link"
    if entry.is_dir():
        return "dir"
    return "file" if entry.is_file() else "other"


def restore(root: str, request: dict[str, Any], blob: bytes) -> Frame:
    """``deleted``: paths; ``files``: [path, mode, link or None, size]; the contents follow each other in the
    blob; ``empty``: folders. Relative paths are the workspace's; absolute ones are taken as they are (scratch
    folders).

    Folders go too in which deleting leaves nothing, or nothing but bytecode. Links are replaced, never
    followed: what is laid down at a path comes to lie at that very path, or not at all.

    Raises:
        OSError: an entry cannot be laid down, e.g. for want of space, or since a file that was not deleted
            lies where it needs a folder.
    """
    for path in request["deleted"]:
        _delete(root, path)
    made: set[str] = set()
    offset = 0
    for path, mode, link, size in request["files"]:
        target = os.path.join(root, path)
        folder = os.path.dirname(target)
        if folder not in made:
            _make_folders(folder)
            made.add(folder)
        _make_way(target)
        if link is not None:
            _with_rights(folder, partial(os.symlink, link, target))
        else:
            _with_rights(folder, partial(_put, target, blob[offset : offset + size], mode))
            offset += size
    for path in request["empty"]:
        _make_folders(os.path.join(root, path))
    return {}, b""


def _delete(root: str, path: str) -> None:
    """Delete a path of the workspace, and the folders above it that hold nothing then."""
    target = os.path.join(root, path)
    if not _is_real_folder(os.path.dirname(target)):
        return  # it is gone, or lies behind a link
    if _is_real_folder(target):
        remove_tree(target)
    elif os.path.lexists(target):
        _with_rights(os.path.dirname(target), partial(os.unlink, target))
    while os.path.dirname(target) != root:
        target = os.path.dirname(target)
        try:
            if os.listdir(target) == ["__pycache__"]:
                remove_tree(target + "/__pycache__")
            os.rmdir(target)
        except OSError:
            return


def _make_folders(folder: str) -> None:
    """Make a folder and those above it. A link or a file on the way is an error."""
    if not os.path.lexists(folder):
        above = os.path.dirname(folder)
        _make_folders(above)
        _with_rights(above, partial(os.mkdir, folder))
    if not _is_real_folder(folder):
        raise NotADirectoryError(20, "is no folder", folder)


def _make_way(target: str) -> None:
    """Remove what is at a path; a folder only if there is no file in it."""
    if _is_real_folder(target):
        for folder, _names, _files in os.walk(target, topdown=False):
            os.rmdir(folder)
    elif os.path.lexists(target):
        _with_rights(os.path.dirname(target), partial(os.unlink, target))


def _with_rights(folder: str, change: Callable[[], None]) -> None:
    """Do something in a folder that may be read-only; then it gets write permission."""
    try:
        change()
    except PermissionError:
        os.chmod(folder, stat.S_IMODE(os.stat(folder).st_mode) | 0o700)
        change()


def _is_real_folder(path: str) -> bool:
    """It is a folder, and neither itself nor a part of its path is a link."""
    return os.path.isdir(path) and os.path.realpath(path) == path


def remove_tree(path: str) -> None:
    """Remove a folder and all that lies in it, however deep, whatever its permissions; no link is followed.

    Raises:
        OSError: something in it belongs to somebody else.
    """
    above: list[str] = []
    folder = _open_folder(path)
    try:
        while True:
            name = _empty(folder)
            if name is None and not above:
                break
            further = _open_folder(name or "..", folder)
            os.close(folder)
            folder = further
            if name is None:
                os.rmdir(above.pop(), dir_fd=folder)
            else:
                above.append(name)
    finally:
        os.close(folder)
    os.rmdir(path)


def _empty(folder: int) -> str | None:
    """Remove files from an open folder until a folder is met; return its name, or None at the end."""
    with scan(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                return entry.name
            os.unlink(entry.name, dir_fd=folder)
    return None


def _open_folder(name: str, above: int | None = None) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        if os.access(name, os.W_OK | os.X_OK, dir_fd=above):
            return os.open(name, flags, dir_fd=above)
    except PermissionError:
        pass
    os.chmod(name, 0o700, dir_fd=above)
    return os.open(name, flags, dir_fd=above)
