"""Repositories on disk: a folder's or a commit's files, as they are before anything is mined from them."""

import gzip
import hashlib
import io
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

from filelock import FileLock

from debug_gym.errors import ConfigError, TaskError
from debug_gym.mining.base import FallenError
from debug_gym.sandbox.fetch import fetch
from debug_gym.task import DirectorySource, GitSource

_IGNORED = ("__pycache__", ".mypy_cache", ".ruff_cache", ".hypothesis", "*.pyc", "build", "*.egg-link")


def tree(folder: Path, make: Callable[[Path], None]) -> Path:
    """The tree in a folder, made once: a crash leaves no half of it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            partial = folder.with_name(f".{folder.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            try:
                make(partial)
            except TaskError as error:
                raise FallenError("find", "its files cannot be had", str(error)) from None
            partial.rename(folder)
    return folder


def copy_tree(source: Path, target: Path) -> None:
    """Copy a repository's own files: no history, environments and caches."""
    usual = DirectorySource.model_fields["exclude"].default
    fetch(DirectorySource(path=source, exclude=(*usual, *_IGNORED)), target)


def commit_tree(repository: Path, commit: str, target: Path) -> None:
    """The files of a commit, without any history."""
    fetch(GitSource(url=str(repository), commit=commit), target)


def write_files(root: Path, files: Mapping[str, str]) -> None:
    """Add files to a tree; those that it has are kept."""
    for path, text in files.items():
        if not (root / path).exists():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")


def pack(root: Path, archive: Path) -> None:
    """A tree as ``tar.gz`` below one folder. The same files give the same bytes."""
    partial = archive.with_name(f".{archive.name}.partial")
    with (
        partial.open("wb") as raw,
        gzip.GzipFile("", "wb", mtime=0, fileobj=raw) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(root.rglob("*")):
            info = tar.gettarinfo(path, f"tree/{path.relative_to(root).as_posix()}")
            info.mtime, info.uid, info.gid, info.uname, info.gname = 0, 0, 0, "", ""
            if info.isreg():
                info.mode = 0o755 if info.mode & 0o100 else 0o644
                tar.addfile(info, io.BytesIO(path.read_bytes()))
            elif info.isdir() or info.issym():
                tar.addfile(info)
    partial.replace(archive)


def git(repository: Path, *arguments: str) -> str:
    """What git says about a repository.

    Raises:
        ConfigError: git is not installed, or fails.
    """
    command = ["git", "-C", str(repository), "-c", "core.fsmonitor=false", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    except FileNotFoundError:
        raise ConfigError("git is not installed: it is needed to mine a repository's history") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise ConfigError(f"git {arguments[0]} failed in {repository}: {said}")
    return done.stdout.decode("utf-8", "replace")


def clone(url: str, folder: Path) -> Path:
    """A repository with its history: the folder itself that is named, else a clone of an address."""
    local = Path(url).expanduser()
    if local.is_dir():
        return local.resolve()
    if not re.match(r"(https?|ssh|git)://|[\w.-]+@[\w.-]+:", url):
        raise ConfigError(f"{url} is neither a folder nor the address of a git repository")
    if not folder.exists():
        partial = folder.with_name(f".{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.parent.mkdir(parents=True, exist_ok=True)
        git(partial.parent, "clone", "-q", "--bare", "--", url, str(partial))
        partial.rename(folder)
    return folder


def slug(text: str) -> str:
    """A text as part of an id."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-.").lower() or "repository"


def short(text: str) -> str:
    """A digest of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]
