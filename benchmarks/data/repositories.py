"""Repositories whose files benchmarks read: a commit is fetched once and kept; or a copy on disk.

They come by git and not as archives, because the id of a commit is a checksum of all that is in it.
"""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from debug_gym.benchmarks.data.at_hand import may_fetch
from debug_gym.cache import cache_folder
from debug_gym.errors import ConfigError, HostError, TaskError
from debug_gym.sandbox.fetch import check_out, fetch
from debug_gym.task import ArchiveSource, GitSource, file_name

ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".zip")


@dataclass(frozen=True)
class Repository:
    """The files of one commit, without history. They are shared: nobody changes them."""

    path: Path
    commit: str
    """Its full id; of a copy on disk, a digest of the archive, or empty for a folder."""


def repository(url: str, commit: str, *, data_dir: str | Path | None = None) -> Repository:
    """The files of a repository.

    Args:
        url: anything that ``git fetch`` accepts.
        commit: a full commit id, which is what makes results comparable; a branch or tag is looked up once
            and stays what it was until it is removed from the cache folder.
        data_dir: a copy in place of it: its folder, or an archive of it as GitHub gives it, or a folder that
            holds one of these by the repository's name (``QuixBugs``, ``QuixBugs-master.zip``).

    Raises:
        ConfigError: ``data_dir`` does not exist.
        HostError: the repository cannot be fetched.
        TaskError: an archive is damaged, or git is not installed.
    """
    if data_dir is not None:
        return _on_disk(Path(data_dir).expanduser(), url)
    folder = cache_folder() / "repositories" / file_name(f"{_name(url)}-{commit}-{_digest(url.encode())}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            _fetch(GitSource(url=url, commit=commit), folder)
        return Repository(folder / "files", (folder / "commit").read_text())


def _name(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2].removesuffix(".git")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _fetch(source: GitSource, folder: Path) -> None:
    may_fetch(source.url)
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        (partial / "commit").write_text(check_out(source, partial / "files"))
    except TaskError as error:
        said = " ".join(str(error).split())
        raise HostError(
            f"{source.url} cannot be fetched ({said}): with no network, copy the repository or an archive "
            "of it here and name that by  --data-dir PATH"
        ) from None
    partial.rename(folder)


def _on_disk(place: Path, url: str) -> Repository:
    name = _name(url)
    if place.is_dir():
        below = sorted(path for path in place.glob(f"{name}*") if path.is_dir() or _is_archive(path))
        exact = [path for path in below if path.name == name]
        place = next(iter((*exact, *below)), place)
    if place.is_dir():
        return Repository(place.resolve(), "")
    if not place.is_file():
        raise ConfigError(f"data_dir: {place} does not exist: put {name}, a copy of {url}, there")
    return _unpacked(place)


def _is_archive(path: Path) -> bool:
    return path.is_file() and path.name.endswith(ARCHIVES)


def _unpacked(archive: Path) -> Repository:
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    folder = cache_folder() / "repositories" / f"archive-{digest[:24]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            partial = folder.with_name(f"{folder.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            fetch(ArchiveSource(path=archive), partial)
            partial.rename(folder)
    return Repository(folder, digest[:16])
