"""Sources: fetch a task's repository from a folder, an archive or git, as plain files.

Tasks come from strangers: nothing of what is fetched is run or followed, and no ``.git`` of theirs stays (git
would run what its configuration says).
"""

import lzma
import os
import shutil
import stat
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from debug_gym.errors import TaskError
from debug_gym.sandbox.server.files import remove_tree
from debug_gym.task import ArchiveSource, DirectorySource, GitSource, Source

MAX_DEPTH = 100
"""Folders below each other; what lies deeper cannot be harvested from a sandbox anyway."""
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
_GIT_VARIABLES = {
    "HOME": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
    "GIT_AUTHOR_NAME": "debug-gym",
    "GIT_AUTHOR_EMAIL": "debug-gym@localhost",
    "GIT_COMMITTER_NAME": "debug-gym",
    "GIT_COMMITTER_EMAIL": "debug-gym@localhost",
    "GIT_AUTHOR_DATE": "2000-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2000-01-01T00:00:00Z",
}


def fetch(source: Source, target: Path) -> None:
    """Put a repository into a folder that does not exist yet.

    Raises:
        TaskError: the source is missing, unreadable, empty or dangerous.
    """
    try:
        if isinstance(source, DirectorySource):
            _copy(source, target)
        elif isinstance(source, ArchiveSource):
            _unpack(source, target)
        else:
            _clone(source, target)
        _strip(target)
    except RecursionError:
        raise TaskError(f"the folders of the repository are nested too deeply: {source}") from None
    if not any(target.iterdir()):
        where = source.url if isinstance(source, GitSource) else source.path
        raise TaskError(f"the repository of the task is empty: {where}")


def git(folder: Path, *arguments: str, check: bool = True) -> int:
    """Run git in a folder, with no configuration but the folder's own; return its exit code.

    Raises:
        TaskError: git is not installed, or fails and ``check`` is set.
    """
    variables = {"PATH": os.environ.get("PATH", os.defpath), **_GIT_VARIABLES}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError:
        raise TaskError(
            "git is not installed; it is needed for tasks that come from a git repository"
        ) from None
    if check and done.returncode:
        raise TaskError(f"git {' '.join(arguments[:1])} failed: {done.stderr.strip()}")
    return done.returncode


def _strip(target: Path) -> None:
    """Remove every ``.git``; refuse what is too deep to work with."""
    for folder, folders, files in os.walk(target):
        for name in (*folders, *files):
            if name.lower() == ".git":
                path = Path(folder, name)
                if path.is_dir() and not path.is_symlink():
                    remove_tree(str(path))
                else:
                    path.unlink()
        folders[:] = [name for name in folders if name.lower() != ".git"]
        if folder.count("/") - str(target).count("/") > MAX_DEPTH:
            raise TaskError(f"the repository has more than {MAX_DEPTH} folders below each other: {folder}")


def _copy(source: DirectorySource, target: Path) -> None:
    if not source.path.is_dir():
        raise TaskError(f"the task's folder {source.path} does not exist or is not a folder")
    try:
        shutil.copytree(source.path, target, symlinks=True, ignore=source.left_out)
    except shutil.Error as error:
        path, _, reason = error.args[0][0]
        raise TaskError(f"cannot copy {path}: {reason}") from None


def _clone(source: GitSource, target: Path) -> None:
    for text in (source.url, source.commit):
        if text.startswith("-"):
            raise TaskError(f"{text!r} is an option of git, not a repository or a commit")
    target.mkdir()
    git(target, "init", "-q")
    # A server may refuse to hand out a bare commit hash; then everything is fetched.
    fetched = git(target, "fetch", "-q", "--depth=1", source.url, source.commit, check=False)
    if fetched:
        git(target, "fetch", "-q", "--tags", source.url, "+refs/heads/*:refs/remotes/origin/*")
    git(target, "checkout", "-q", source.commit if fetched else "FETCH_HEAD", "--")


# -- archives ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Member:
    """One entry of an archive."""

    name: str
    mode: int
    """As in ``stat``: the kind and the permissions."""
    link: str = ""
    """Target of a symbolic link; of a hard link (a regular file without data), the other member's name."""
    data: IO[bytes] | None = None


def _unpack(source: ArchiveSource, target: Path) -> None:
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
