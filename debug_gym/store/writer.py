"""Writing a run so that a crash at any moment loses at most the episodes in flight."""

import contextlib
import errno
import fcntl
import mmap
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from io import BufferedWriter, FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import BaseModel

from debug_gym.episode import Step
from debug_gym.errors import ConfigError, HostError
from debug_gym.store.exports.predictions import predictions
from debug_gym.store.records import End, Manifest, Result, Run, Start, read_manifest

NAMED = 5
"""Files that a message names."""
_END = b'{"kind":"end"'
"""How the last line of a complete trajectory begins."""


class StorageError(HostError):
    """A run's files cannot be written."""


class RunWriter:
    """A run's folder, held by one process to write to. Use it as a context manager."""

    def __init__(self, run: Run, lock: BufferedWriter, made: Sequence[Path] | None = None) -> None:
        self.run, self._lock = run, lock
        self._made = made
        """The folders that were made for a new run, the lowest first; None: it is resumed."""

    @classmethod
    def begin(cls, path: Path, manifest: Manifest, *, inert: Collection[str] = ()) -> Self:
        """Start a run in a folder, or resume the one that is there.

        On resume, finished attempts are kept. Infrastructure errors are taken out of ``results.jsonl``, so
        that they are tried anew, and so are results whose trajectory has lost its end, as in a power cut.

        Args:
            path: the folder; it is created.
            manifest: what is asked for.
            inert: keys of the configuration that may differ from the stored run's.

        Raises:
            ConfigError: the folder holds something else, a run with another configuration, or a run that
                another process is working on.
        """
        made: list[Path] | None = _make_folder(path)
        lock = _locked(path)
        try:
            if (path / "config.json").exists():
                stored = read_manifest(path)
                _demand_same(path, stored, manifest, inert)
                manifest, made = stored, None
            else:
                write_atomically(path / "config.json", manifest.model_dump_json(indent=2) + "\n")
            (path / "trajectories").mkdir(exist_ok=True)
            writer = cls(Run(path, manifest), lock, made)
            writer._keep_finished()
        except BaseException:
            lock.close()
            raise
        return writer

    def episode(self, task: str, attempt: int) -> "EpisodeFile":
        """A new trajectory file. What an unfinished attempt left there is replaced."""
        return EpisodeFile(self.run.trajectory_file(task, attempt), self.add)

    def add(self, result: Result) -> None:
        """Append a result: one write, on disk before this returns. Threads may call it at the same time.

        Raises:
            StorageError: it cannot be written.
        """
        with _storing(self.run.results_file), self.run.results_file.open("ab", buffering=0) as file:
            _append(file, result)
            os.fsync(file.fileno())

    def write_predictions(self) -> None:
        """Write the patches of all judged attempts in SWE-bench's format, a file for each attempt number."""
        for attempt, text in predictions(self.run).items():
            name = f"predictions.{attempt}.jsonl" if attempt else "predictions.jsonl"
            with _storing(self.run.path / name):
                write_atomically(self.run.path / name, text)

    def close(self) -> None:
        """Let go of the folder."""
        self._lock.close()

    def _remove(self) -> None:
        """Take away what ``begin`` has made, if nobody has played yet: it holds nothing."""
        path = self.run.path
        with contextlib.suppress(OSError):  # somebody else has put something there
            (path / "trajectories").rmdir()
            for name in ("config.json", ".lock"):
                (path / name).unlink()
            for folder in self._made or ():
                folder.rmdir()

    def _keep_finished(self) -> None:
        kept = [
            result
            for result in self.run.results()
            if result.status != "error" and _has_end(self.run.trajectory_file(*result.key))
        ]
        text = "".join(result.model_dump_json() + "\n" for result in kept)
        file = self.run.results_file
        if file.exists() and file.read_text(encoding="utf-8") != text:
            write_atomically(file, text)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self._made is not None:
            self._remove()
        self.close()


class EpisodeFile:
    """Records an attempt that is being played: each line is on its way to disk at once.

    Args:
        path: the trajectory's file.
        add: stores the result, see ``RunWriter.add``.
    """

    def __init__(self, path: Path, add: Callable[[Result], None]) -> None:
        with _storing(path):
            self._file = path.open("wb", buffering=0)
        self._add = add
        self.empty = True
        """Nothing was written yet."""

    def write(self, line: Start | Step | End) -> None:
        """Append one line; the last one is synced to disk.

        Raises:
            StorageError: it cannot be written.
        """
        with _storing(self._file.name):
            _append(self._file, line)
            if isinstance(line, End):
                os.fsync(self._file.fileno())
        self.empty = False

    def add(self, result: Result) -> None:
        """The attempt is over: see ``RunWriter.add``."""
        self._add(result)

    def close(self) -> None:
        """Let go of the file."""
        with _storing(self._file.name):
            self._file.close()


def _append(file: FileIO, line: BaseModel) -> None:
    """One line in one write."""
    data = line.model_dump_json().encode() + b"\n"
    if file.write(data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextlib.contextmanager
def _storing(path: Path | str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written: {error.strerror}: make room and start the run again"
        ) from error


def write_atomically(path: Path, text: str) -> None:
    """Replace a file so that a crash leaves either the old content or the new one."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the new name is on disk as well
    finally:
        os.close(folder)


def _has_end(path: Path) -> bool:
    """Whether a trajectory is complete; only its last whole line is read."""
    if not path.exists() or not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        stop = max(0, text.rfind(b"\n"))
        start = text.rfind(b"\n", 0, stop) + 1
        return text[start:stop].startswith(_END)


def _make_folder(path: Path) -> list[Path]:
    """Make a folder and those above it; give those that were not there, the lowest first."""
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"the run cannot be stored in {path}: {error.strerror}") from None
    visible = [item.name for item in path.iterdir() if not item.name.startswith(".")]
    if visible and "config.json" not in visible:
        raise ConfigError(f"{path} is not empty and holds no run: choose another --output")
    return made


def _locked(path: Path) -> BufferedWriter:
    """Take the folder. A POSIX lock ends with its process, however that ends, and no child inherits it."""
    lock = (path / ".lock").open("ab")
    deadline = time.monotonic() + 1.0  # a killed predecessor may still be on its way out
    while True:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except OSError:
            if time.monotonic() > deadline:
                lock.close()
                raise ConfigError(
                    f"another debug-gym is working on {path}: wait or choose another --output"
                ) from None
            time.sleep(0.05)


def check_resumable(path: Path, wanted: Manifest, *, inert: Collection[str] = ()) -> None:
    """Whether a run can be begun or resumed in a folder, before anything is done for it.

    Raises:
        ConfigError: as ``RunWriter.begin`` does for what the folder holds.
    """
    if (path / "config.json").exists():
        _demand_same(path, read_manifest(path), wanted, inert)


def _demand_same(path: Path, stored: Manifest, wanted: Manifest, inert: Collection[str]) -> None:
    """Refuse to mix results that cannot be compared."""
    advice = "choose another --output, or remove the folder"
    old, new = _flat(stored.config), _flat(wanted.config)
    for key in sorted(old.keys() | new.keys()):
        if key not in inert and old.get(key) != new.get(key):
            raise ConfigError(
                f"{path} holds a run with {key} = {old.get(key)!r}, not {new.get(key)!r}: {advice}"
            )
    if stored.benchmark_version != wanted.benchmark_version or stored.tasks != wanted.tasks:
        changed = _changed(stored.files, wanted.files)
        what = (
            f"an earlier state of the repository ({changed})" if changed else "another state of the benchmark"
        )
        raise ConfigError(f"{path} holds a run on {what}: {advice}")
    if stored.versions.get("debug_gym") != wanted.versions.get("debug_gym"):
        raise ConfigError(f"{path} was begun with debug-gym {stored.versions.get('debug_gym')}: {advice}")


def _changed(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """Which files differ, in a few words; empty where no files are known."""
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    if not old or not names:
        return ""
    shown = ", ".join(names[:NAMED])
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"changed since: {shown}{more}"


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested keys joined by dots; what is empty is as if it were not there."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        elif value not in (None, [], ""):
            flat[prefix + key] = value
    return flat
