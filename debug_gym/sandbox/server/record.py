"""What changed in a workspace, for a host that cannot look into it: recorded at first, sent as an archive.

The record lies in this process, which code under test can neither trace nor read. If it lied all the same,
that would be no more than another change: whoever judges lays what comes out of here over their own copy.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
import time
from typing import AbstractSet, Any, Dict, List, NamedTuple, Optional

from . import harvest
from .harvest import CACHES, SKIPPED, Entry, Harvester
from .wire import Frame

_FRESH = 1_000_000_000
"""Nanoseconds. A file that was touched so shortly before it was recorded could change and keep its times."""


class _Fact(NamedTuple):
    """What a path was."""

    times: Optional[List[int]]
    """Nothing was written to the file as long as these are the same; None: they prove nothing."""
    mode: int
    size: int
    content: bytes
    """Digest of what is in the file; of one too large to harvest, nothing; a link's target."""


class Record:
    """The files of a workspace as they are now.

    Args:
        workspace: the folder.
        scratch: folders outside of it that snapshots keep too.
    """

    def __init__(self, workspace: str, scratch: List[str]) -> None:
        self.workspace, self.scratch = workspace, scratch
        self._facts: Dict[str, _Fact] = {}
        self._folders: Dict[str, AbstractSet[str]] = {}
        now = int(time.time() * 1e9)
        with _Folder(workspace) as top:
            for folder, prefix, entries in Harvester(CACHES).folders(top):
                self._folders[prefix[:-1]] = {entry.name for entry in entries}
                for entry in entries:
                    if not entry.is_dir(follow_symlinks=False):
                        fact = _fact(folder, entry.name, now)
                        if fact is not None:
                            self._facts[prefix + entry.name] = fact

    def changes(self, everything: bool) -> Frame:
        """What differs from the record: ``deleted``, ``empty``, ``skipped`` as in ``Changes``; the blob is a
        tar archive of the files and links that are new or different.

        Args:
            everything: with ``.git``.
        """
        ignored = CACHES if everything else SKIPPED
        harvester, present = Harvester(ignored), set()
        with _Folder(self.workspace) as top:
            for folder, prefix, entries in harvester.folders(top):
                if not entries:
                    before = self._folders.get(prefix[:-1])
                    harvester.take_empty(prefix[:-1], None if before is None else before - ignored)
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        continue
                    path = prefix + entry.name
                    present.add(path)
                    if not self._is_unchanged(folder, entry.name, path):
                        harvester.take(folder, entry.name, path)
        unseen = tuple(harvester.unseen)
        gone = (path for path in self._facts if path not in present and not path.startswith(unseen))
        harvester.deleted.update(path for path in gone if ignored.isdisjoint(path.split("/")))
        return _packed(harvester)

    def scratch_files(self) -> Frame:
        """Everything in the scratch folders but caches; paths are absolute."""
        harvester = Harvester(CACHES)
        for name in self.scratch:
            with _Folder(name) as top:
                for folder, prefix, entries in harvester.folders(top, name.rstrip("/") + "/"):
                    if not entries and prefix[:-1] != name:
                        harvester.take_empty(prefix[:-1])
                    for entry in entries:
                        if not entry.is_dir(follow_symlinks=False):
                            harvester.take(folder, entry.name, prefix + entry.name)
        return _packed(harvester)

    def _is_unchanged(self, folder: int, name: str, path: str) -> bool:
        before = self._facts.get(path)
        if before is None:
            return False
        try:
            if before.times is not None and before.times == _times(
                os.stat(name, dir_fd=folder, follow_symlinks=False)
            ):
                return True
        except OSError:
            return False
        now = _fact(folder, name, 0)
        return now is not None and now[1:] == before[1:]


class _Folder:
    """An open folder."""

    def __init__(self, path: str) -> None:
        self.fd = os.open(path, harvest.FOLDER)

    def __enter__(self) -> int:
        return self.fd

    def __exit__(self, *_: Any) -> None:
        os.close(self.fd)


def _fact(folder: int, name: str, now: int) -> _Fact | None:
    """None: it is neither a file nor a link, or cannot be read."""
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            return _Fact(None, 0, 0, os.fsencode(os.readlink(name, dir_fd=folder)))
        if not stat.S_ISREG(status.st_mode):
            return None
        data = b"" if status.st_size > harvest.MAX_FILE else harvest.content(folder, name)
    except OSError:
        return None
    if data is None:
        return None
    times = _times(status) if status.st_ctime_ns < now - _FRESH else None
    digest = hashlib.blake2b(data, digest_size=20).digest()
    return _Fact(times, status.st_mode & 0o777, status.st_size, digest)


def _times(status: os.stat_result) -> List[int]:
    return [status.st_mode, status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns]


def _packed(harvester: Harvester) -> Frame:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, entry in harvester.files.items():
            tar.addfile(_member(path, entry), io.BytesIO(entry.data or b""))
    facts = {
        "deleted": sorted(harvester.deleted),
        "empty": sorted(harvester.empty),
        "skipped": harvester.skipped(),
    }
    return facts, archive.getvalue()


def _member(path: str, entry: Entry) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.mode = entry.mode
    if entry.link is not None:
        member.type, member.linkname = tarfile.SYMTYPE, entry.link
    else:
        member.size = len(entry.data or b"")
    return member
