"""Harvests: how what changed in a sandbox is read, by the host itself or over the channel.

The runtime packs what changed in an archive (``server.record``). It comes from where code under test runs,
so nothing in it is trusted. It is only read, never unpacked, so that no member comes to lie anywhere;
``tarfile``'s own filter would refuse links that a repository may well have, and knows no bounds.
"""

import os
import tarfile
from collections.abc import Iterable, Sequence
from functools import partial
from io import BytesIO
from typing import Any, Protocol

from debug_gym.errors import ProtocolError
from debug_gym.sandbox.connection import Connection
from debug_gym.sandbox.replies import Harvested, parse
from debug_gym.sandbox.results import Changes, FileEntry
from debug_gym.sandbox.server.harvest import (
    CACHES,
    MAX_DEPTH,
    MAX_FILE,
    MAX_FILES,
    MAX_PATH,
    MAX_SKIPPED,
    MAX_TOTAL,
    SKIPPED,
)

TIME_LIMIT = 60.0
"""Seconds for a runtime to look for what changed."""


class Harvest(Protocol):
    """Reads what changed in a sandbox."""

    def changes(self, everything: bool) -> Changes:
        """What differs from the task's repository; ``everything``: with ``.git``."""
        ...

    def scratch(self) -> Changes:
        """What lies outside of the workspace in folders of the sandbox's own, by absolute paths."""
        ...


class RuntimeHarvest:
    """Asks the runtime, for backends whose folders the host cannot open.

    Args:
        connection: to the runtime.
        folders: those outside of the workspace that snapshots keep.
    """

    def __init__(self, connection: Connection, folders: Sequence[str]) -> None:
        self.connection, self.folders = connection, list(folders)

    def changes(self, everything: bool) -> Changes:
        """See ``Harvest.changes``. Raises ``ProtocolError`` if the answer is not what it may be."""
        return self._ask(_Reader((), CACHES if everything else SKIPPED), "changes", everything=everything)

    def scratch(self) -> Changes:
        """See ``Harvest.scratch``."""
        return self._ask(_Reader(self.folders, CACHES), "scratch") if self.folders else Changes()

    def _ask(self, reader: "_Reader", op: str, **arguments: Any) -> Changes:
        reply, archive = self.connection.request(op, within=TIME_LIMIT, **arguments)
        return self.connection.checked(partial(reader.read, archive), reply)


class _Reader:
    """Reads an archive, within the bounds of any harvest.

    Args:
        roots: absolute folders in which all paths must lie; empty: they must be relative.
        ignored: names that no path may hold.
    """

    def __init__(self, roots: Sequence[str], ignored: frozenset[str]) -> None:
        self.roots = tuple(root.rstrip("/") + "/" for root in roots)
        self.ignored = ignored

    def read(self, archive: bytes, reply: dict[str, Any]) -> Changes:
        """What a runtime sent.

        Args:
            archive: a tar archive, not compressed, of regular files and symbolic links.
            reply: see ``Harvested``.

        Raises:
            ProtocolError: it is no such archive, or larger than a harvest may be, or paths lead elsewhere.
        """
        told = parse(Harvested, reply)
        if max(len(told.deleted), len(told.empty)) > MAX_FILES or len(told.skipped) > MAX_SKIPPED + 1:
            raise ProtocolError("more paths than a harvest may have")
        for path in (*told.deleted, *told.empty):
            self._check(path)
        if not all(map(_can_be_a_name, told.skipped)):
            raise ProtocolError("what was skipped is said in no text")
        try:
            files = self._files(archive)
        except (tarfile.TarError, EOFError, ValueError, OverflowError, RecursionError, OSError) as error:
            raise ProtocolError(f"what came is no archive of files: {error}") from None
        _check_tree(files)
        deleted = tuple(sorted({*told.deleted} - files.keys()))
        empty = tuple(sorted(set(told.empty)))
        return Changes(files=files, deleted=deleted, empty=empty, skipped=told.skipped)

    def _files(self, archive: bytes) -> dict[str, FileEntry]:
        files: dict[str, FileEntry] = {}
        total = 0
        with tarfile.open(fileobj=BytesIO(archive), mode="r|") as tar:  # reads forward only
            for member in tar:
                path = self._check(member.name)
                total += len(path) + len(member.linkname) + member.size
                if len(files) >= MAX_FILES or total > MAX_TOTAL + MAX_FILE:
                    raise ProtocolError("more files than a harvest may have")
                if path in files:
                    raise ProtocolError(f"{path!r} comes twice")
                files[path] = _entry(tar, member)
        return files

    def _check(self, path: str) -> str:
        """The same path, if it is one that could be harvested."""
        rest = path
        if self.roots:
            root = next((root for root in self.roots if path.startswith(root)), None)
            if root is None:
                raise ProtocolError(f"{path!r} does not lie in a scratch folder")
            rest = path[len(root) :]
        names = rest.split("/")
        if not {"", ".", ".."}.isdisjoint(names) or "\0" in path or not _can_be_a_name(path):
            raise ProtocolError(f"{path!r} is not a plain path")
        if not self.ignored.isdisjoint(names) or len(names) > MAX_DEPTH + 1 or len(path) > MAX_PATH:
            raise ProtocolError(f"{path!r} is no path to harvest")
        return path


def _entry(tar: tarfile.TarFile, member: tarfile.TarInfo) -> FileEntry:
    mode = member.mode & 0o777
    if member.issym():
        return FileEntry(link=member.linkname, mode=mode)
    if not member.isreg() or member.issparse() or not 0 <= member.size <= MAX_FILE:
        raise ProtocolError(f"{member.name!r} is not a regular file, or too large")
    data = tar.extractfile(member)
    content = b"" if data is None else data.read(member.size + 1)
    if len(content) != member.size:
        raise ProtocolError(f"{member.name!r} is cut off")
    return FileEntry(data=content, mode=mode)


def _can_be_a_name(text: str) -> bool:
    """It stands for some bytes."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def _check_tree(paths: Iterable[str]) -> None:
    """No file may lie below another."""
    known = set(paths)
    for path in known:
        parts = path.split("/")
        if any("/".join(parts[:n]) in known for n in range(1, len(parts))):
            raise ProtocolError(f"{path!r} lies below what is no folder")
