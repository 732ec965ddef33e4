"""Unpacking tar and zip archives of strangers: no member leaves the folder, no link is followed."""

import lzma
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from debug_gym.errors import TaskError
from debug_gym.task import ArchiveSource

_BROKEN = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
"""What reading an archive raises."""


@dataclass(frozen=True)
class _Member:
    """One entry of an archive."""

    name: str
    mode: int
    """As in ``stat``: the kind and the permissions."""
    link: str = ""
    """Target of a symbolic link; of a hard link (a regular file without data), the other member's name."""
    data: IO[bytes] | None = None


def unpack(source: ArchiveSource, target: Path) -> None:
    """Unpack an archive into a new folder.

    Raises:
        TaskError: it is missing or damaged, or a member would come to lie outside.
    """
    target.mkdir()
    try:
        members = _zip_members if zipfile.is_zipfile(source.path) else _tar_members
        for member in members(source.path):
            _place(target, member, source.strip)
    except _BROKEN as error:
        if isinstance(error, TaskError):
            raise
        raise TaskError(f"cannot unpack {source.path}: {error}") from None


def _zip_members(path: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            mode = entry.external_attr >> 16
            if entry.is_dir():
                yield _Member(entry.filename, stat.S_IFDIR)
            elif stat.S_ISLNK(mode):
                yield _Member(entry.filename, mode, link=os.fsdecode(archive.read(entry)))
            else:
                with archive.open(entry) as data:
                    yield _Member(entry.filename, stat.S_IFREG | stat.S_IMODE(mode), data=data)


def _tar_members(path: Path) -> Iterator[_Member]:
    with tarfile.open(path) as archive:
        for entry in archive:
            if entry.isdir():
                yield _Member(entry.name, stat.S_IFDIR)
            elif entry.issym():
                yield _Member(entry.name, stat.S_IFLNK, link=entry.linkname)
            elif entry.islnk():
                yield _Member(entry.name, stat.S_IFREG | entry.mode, link=entry.linkname)
            elif entry.isreg():
                yield _Member(entry.name, stat.S_IFREG | entry.mode, data=archive.extractfile(entry))


def _place(target: Path, member: _Member, strip: int) -> None:
    """Lay one member down. No link is followed on the way, wherever an earlier member may have put one."""
    path = _inside(target, member.name, strip)
    if path == target:
        return
    if stat.S_ISDIR(member.mode):
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if stat.S_ISLNK(member.mode):
        path.symlink_to(member.link)
        return
    with path.open("xb") as file:
        if member.data is not None:
            shutil.copyfileobj(member.data, file)
        else:
            other = os.open(_inside(target, member.link, strip), os.O_RDONLY | os.O_NOFOLLOW)
            with os.fdopen(other, "rb") as data:
                shutil.copyfileobj(data, file)
    path.chmod(0o755 if member.mode & 0o100 else 0o644)


def _inside(target: Path, name: str, strip: int) -> Path:
    """The place of a member, which is ``target`` itself for those that are stripped away."""
    parts = [part for part in name.split("/")[strip:] if part not in {"", "."}]
    if ".." in parts or name.startswith("/"):
        raise TaskError(f"{name!r} in the archive would come to lie outside of the repository")
    path = target
    for part in parts:
        if path.is_symlink():
            raise TaskError(f"{name!r} in the archive would come to lie behind a link")
        path /= part
    return path
