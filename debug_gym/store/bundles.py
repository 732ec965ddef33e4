"""A run as one file that others can verify: its records, and a digest of each of them, in a zip archive.

Digests show what was damaged on the way or changed without care. Whoever changes a record can make new ones;
that shows when the tool calls are replayed (``debug_gym.checks.verify``).
"""

import contextlib
import hashlib
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, ValidationError

from debug_gym.errors import ConfigError, DebugGymError, HostError
from debug_gym.store.exports.predictions import predictions
from debug_gym.store.records import Result, Run
from debug_gym.task import Frozen
from debug_gym.version import VERSION

FORMAT = 1
CARD = "bundle.json"
"""Lies in the archive beside the run's files, and names them."""
MAX_BYTES = 8 << 30
"""Of all files of a bundle, unpacked: what claims to be bigger is refused."""
_MOST_FILES = 200_000
_CARD_BYTES = 64 << 20
_NAMES = re.compile(
    r"(?:config\.json|(?:results|grades|predictions(?:\.\d{1,9})?)\.jsonl|trajectories/(?!\.)[\w.%-]+\.jsonl)",
    re.ASCII,
)
"""The files that a run has: nothing else is unpacked, whatever its path."""
_DATE = (1980, 1, 1, 0, 0, 0)  # the first that zip knows: equal runs give equal bundles


class Card(Frozen):
    """``bundle.json``: what a bundle holds."""

    format: int = FORMAT
    name: str
    """Of the run's folder."""
    made_by: str = f"debug-gym {VERSION}"
    files: dict[str, str] = Field(default_factory=dict)
    """Path in the bundle to the SHA-256 digest of its content."""


@dataclass(frozen=True)
class Bundle:
    """A bundle that was unpacked."""

    path: Path
    """The archive."""
    card: Card
    digest: str
    """SHA-256 of ``bundle.json``, which has those of all other files: it names the whole content."""
    folder: Path
    """Where its run lies now."""
    altered: tuple[str, ...]
    """A sentence for each file that is not as the digests have it."""

    def run(self) -> Run:
        """The run. Raises as ``Run.open`` does."""
        try:
            return Run.open(self.folder)
        except ConfigError as error:
            raise ConfigError(str(error).replace(str(self.folder), str(self.path))) from None


def pack(run: Run, path: Path, *, partial: bool = False) -> str:
    """Write the bundle of a run; equal runs give equal bytes.

    Args:
        run: with its results; predictions are made anew.
        path: the file to write. It is replaced in one go.
        partial: also where attempts have no verdict.

    Returns:
        The digest, as in ``Bundle.digest``.

    Raises:
        ConfigError: attempts are unfinished or ended in an error, or a trajectory is missing.
        DebugGymError: a file of the run is damaged.
        HostError: the file cannot be written.
    """
    results = run.results()
    judged = [result for result in results if result.status != "error"]
    if not judged:
        raise ConfigError(f"{run.path} has no judged attempt: there is nothing to verify yet")
    if len(judged) < run.manifest.total and not partial:
        left = run.manifest.total - len(judged)
        raise ConfigError(
            f"{left} of {run.manifest.total} attempts of {run.path} are unfinished or ended in an error: "
            "the run's command plays them; --partial makes the bundle as it stands"
        )
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            files = {name: _add(archive, name, data) for name, data in _contents(run, judged)}
            card = Card(name=run.path.resolve().name, files=files)
            digest = _add(archive, CARD, card.model_dump_json(indent=1).encode() + b"\n")
        temporary.replace(path)
    except OSError as error:
        if isinstance(error, DebugGymError):
            raise
        raise HostError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        temporary.unlink(missing_ok=True)
    return digest


def unpack(path: Path, folder: Path) -> Bundle:
    """Unpack a bundle into a folder that is there and empty, and compare digests.

    Nothing but the files of a run is written, and nothing outside of the folder.

    Raises:
        ConfigError: it is no bundle, or of a newer debug-gym, or holds what no bundle holds.
        HostError: the folder cannot be written.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _entries(path, archive)
            data = archive.read(CARD)
            card = _card(path, data)
            found = {name: _extract(archive, entries[name], folder) for name in entries if name != CARD}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, DebugGymError):
            raise
        raise ConfigError(f"{path} is no bundle, or a damaged one: {error}") from None
    except OSError as error:
        if error.filename is not None and Path(error.filename) == path:
            raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
        raise HostError(f"{path} cannot be unpacked: {error.strerror or error}") from None
    return Bundle(path, card, hashlib.sha256(data).hexdigest(), folder, tuple(_altered(card, found)))


def _contents(run: Run, judged: list[Result]) -> Iterator[tuple[str, bytes]]:
    """The files of a bundle but its card, in order."""
    yield "config.json", (run.path / "config.json").read_bytes()
    yield "results.jsonl", "".join(result.model_dump_json() + "\n" for result in judged).encode()
    for number, text in sorted(predictions(run).items()):
        yield f"predictions.{number}.jsonl" if number else "predictions.jsonl", text.encode()
    grades = run.path / "grades.jsonl"
    if grades.exists():
        yield "grades.jsonl", grades.read_bytes()
    for result in judged:
        if run.end(*result.key) is None:
            raise ConfigError(
                f"the trajectory of {result.task}.{result.attempt} has no end: "
                "the run's command plays it anew"
            )
        file = run.trajectory_file(*result.key)
        yield f"trajectories/{file.name}", file.read_bytes()


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> str:
    """Store a file; gives its digest."""
    entry = zipfile.ZipInfo(name, _DATE)
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)
    return hashlib.sha256(data).hexdigest()


def _entries(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """What there is to unpack, if that is only what a bundle has."""
    listed = archive.infolist()
    entries = {entry.filename: entry for entry in listed}
    for name in entries:
        if name != CARD and not _NAMES.fullmatch(name):
            raise ConfigError(f"{path} holds {name!r}, which no bundle has: it is not unpacked")
    if len(entries) < len(listed):
        raise ConfigError(f"{path} holds a file twice: it is not unpacked")
    if CARD not in entries:
        raise ConfigError(f"{path} is no bundle: it holds no {CARD}; debug-gym submit-pack makes bundles")
    size = sum(entry.file_size for entry in listed)
    if size > MAX_BYTES or len(listed) > _MOST_FILES or entries[CARD].file_size > _CARD_BYTES:
        raise ConfigError(f"{path} would be {size >> 20} MB in {len(listed)} files: it is not unpacked")
    return entries


def _card(path: Path, data: bytes) -> Card:
    try:
        card = Card.model_validate_json(data)
    except ValidationError as error:
        raise ConfigError(f"{path}: its {CARD} is damaged: {error.errors()[0]['msg']}") from None
    if card.format > FORMAT:
        raise ConfigError(f"{path} was made by a newer debug-gym (format {card.format}): update debug-gym")
    return card


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> str | None:
    """Write a file, link or not, as a plain one; gives its digest, or None where its content is damaged."""
    target = folder / entry.filename
    target.parent.mkdir(exist_ok=True)
    digest = hashlib.sha256()
    with target.open("xb") as file, contextlib.suppress(zipfile.BadZipFile, zlib.error, EOFError):
        with archive.open(entry) as content:
            while block := content.read(1 << 20):  # no more than the size that it claims to have
                digest.update(block)
                file.write(block)
        return digest.hexdigest()
    return None


def _altered(card: Card, found: dict[str, str | None]) -> Iterator[str]:
    for name in sorted(card.files.keys() | found.keys()):
        if name not in found:
            yield f"{name} is missing"
        elif name not in card.files:
            yield f"{name} was added: {CARD} does not name it"
        elif found[name] != card.files[name]:
            yield f"{name} was changed: its digest is not that of {CARD}"
