"""Repositories on their way to other machines: a task's source as one archive, named by its digest."""

import gzip
import hashlib
import tarfile
import tempfile
import threading
from pathlib import Path

from debug_gym.cache import cache_folder
from debug_gym.sandbox.fetch import fetch
from debug_gym.task import ArchiveSource, ImageSource, Source, Task

KEPT = 200
"""Archives in a machine's cache; beyond that, the oldest go: they are needed until they are unpacked."""


class Sender:
    """Packs repositories, each once; the archives lie in a temporary folder until ``close``."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="debug-gym-archives-")
        self._digests: dict[str, str] = {}
        self._lock = threading.Lock()

    def pack(self, task: Task) -> str:
        """The digest of a task's archive; empty if nothing is to travel, since every machine pulls the image.

        Raises:
            TaskError: the repository is missing or unreadable.
        """
        if isinstance(task.source, ImageSource):
            return ""
        source = task.source.model_dump_json()
        with self._lock:
            if source not in self._digests:
                with tempfile.TemporaryDirectory(dir=self._folder.name) as scratch:
                    archive = _pack(task.source, Path(scratch))
                    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
                    archive.replace(Path(self._folder.name, digest))
                self._digests[source] = digest
            return self._digests[source]

    def read(self, digest: str) -> bytes:
        """An archive that was packed."""
        return Path(self._folder.name, digest).read_bytes()

    def close(self) -> None:
        """Remove the archives."""
        self._folder.cleanup()


def has(digest: str) -> bool:
    """Whether this machine has an archive."""
    return not digest or _place(digest).exists()


def store(digest: str, archive: bytes) -> None:
    """Keep an archive in this machine's cache."""
    place = _place(digest)
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
        file.write(archive)
    Path(file.name).replace(place)
    kept = sorted(place.parent.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in kept[KEPT:]:
        old.unlink(missing_ok=True)


def unpacked(task: Task, digest: str) -> Task:
    """The task with its repository taken from this machine's cache."""
    if not digest:
        return task
    return task.model_copy(update={"source": ArchiveSource(path=_place(digest), strip=1)})


def _place(digest: str) -> Path:
    return cache_folder() / "archives" / f"{digest}.tar.gz"


def _pack(source: Source, scratch: Path) -> Path:
    """The same repository always gives the same bytes."""
    folder, packed = scratch / "repository", scratch / "packed"
    fetch(source, folder)
    with (
        packed.open("wb") as file,
        gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0, compresslevel=1) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as archive,
    ):
        archive.add(folder, folder.name, filter=_plain)
    return packed


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """An entry without what differs between machines."""
    entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = 0, 0, 0, "", ""
    return entry
