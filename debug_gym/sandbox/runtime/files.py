"""Files of the workspace, from inside: read, write, list, and lay a snapshot down."""

from __future__ import annotations

import os
import stat
from typing import Any

from .wire import Frame

SKIPPED = frozenset([".git", "__pycache__", ".pytest_cache"])
"""Names that listings leave out: not the repository's own files."""


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
    fd = os.open(inside(root, path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(21, "is a folder, not a file", path)
        if not stat.S_ISREG(status.st_mode):
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
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise PermissionError(13, "is not a regular file", target)
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.ftruncate(fd, len(data))
        if mode is not None:
            os.fchmod(fd, mode)
    finally:
        os.close(fd)


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
            size = entry.stat(follow_symlinks=False).st_size if kind == "file" else 0
            entries.append([prefix + entry.name, kind, size])
            if kind == "dir" and depth > 1 and os.access(entry.path, os.R_OK | os.X_OK):
                walk(entry.path, prefix + entry.name + "/", depth - 1)

    walk(top, "", request["depth"])
    return {"entries": entries[:limit], "more": len(entries) > limit}, b""


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return "link"
    if entry.is_dir():
        return "dir"
    return "file" if entry.is_file() else "other"


def restore(root: str, request: dict[str, Any], blob: bytes) -> Frame:
    """``deleted``: paths; ``files``: [path, mode, link or None, size]; the contents follow each other in the
    blob. Relative paths are the workspace's; absolute ones are taken as they are (scratch folders)."""
    for path in request["deleted"]:
        _remove(os.path.join(root, path))
    offset = 0
    for path, mode, link, size in request["files"]:
        target = os.path.join(root, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.islink(target) or (link is not None and os.path.lexists(target)):
            _remove(target)
        if link is not None:
            os.symlink(link, target)
            continue
        _put(target, blob[offset : offset + size], mode)
        offset += size
    return {}, b""


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        for name in os.listdir(path):
            _remove(os.path.join(path, name))
        os.rmdir(path)
    elif os.path.lexists(path):
        os.unlink(path)
