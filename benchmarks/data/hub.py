"""Data sets of the Hugging Face hub: downloaded once, checked, kept; or a copy on disk."""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

from debug_gym.benchmarks.data.at_hand import may_fetch
from debug_gym.benchmarks.data.rows import FORMATS, Rows, sha256
from debug_gym.cache import cache_folder
from debug_gym.errors import ConfigError, HostError, MissingExtraError, TaskError
from debug_gym.task import file_name


def dataset(
    name: str,
    split: str = "test",
    *,
    revision: str = "main",
    key: str = "instance_id",
    data_dir: str | Path | None = None,
) -> Rows:
    """The rows of a split of a data set.

    What has been downloaded stays the same until it is removed from the cache folder or another revision is
    asked for. A download that broke off is resumed; its checksums are compared with the hub's.
    ``HF_ENDPOINT`` and ``HF_TOKEN`` say where the hub is and who asks.

    Args:
        name: ``owner/name`` on the hub.
        split: its files are those that begin with it: ``data/test-00000-of-00001.parquet``, ``test.jsonl``.
        revision: branch, tag or commit.
        key: the column that names the rows.
        data_dir: a copy in place of the hub's: a file, or a folder that holds the data set's files, or a
            folder with such a folder for each data set, called ``name`` or ``owner/name``. Files that are
            named by no split are taken for any.

    Raises:
        ConfigError: ``data_dir`` has no such file, or the data set no such split.
        TaskError: a file is damaged.
        HostError: the hub cannot be reached, or refuses.
        MissingExtraError: the extra ``datasets`` is not installed.
    """
    if data_dir is not None:
        return Rows(_on_disk(Path(data_dir).expanduser(), name, split), key)
    folder = cache_folder() / "datasets"
    record = folder / f"{file_name(f'{name}@{revision}')}-{file_name(split)}.json"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{record}.lock"):
        known = json.loads(record.read_text()) if record.exists() else {}
        if not known or not all(Path(path).exists() for path in known):
            known = _download(name, split, revision, folder)
            partial = record.with_suffix(".partial")
            partial.write_text(json.dumps(known, indent=1))
            partial.replace(record)
    return Rows(map(Path, known), key)


def files_of(names: Iterable[str], split: str) -> list[str]:
    """Of names of files, those of a split, in order; of several kinds the one that comes first in
    ``FORMATS``."""
    begins = re.compile(rf"(?:^|/){re.escape(split)}(?:[-_./][^/]*)?(?:/[^/]*)?\.(?:parquet|jsonl?)$")
    found = sorted(name for name in names if begins.search(name))
    return next(filter(None, ([name for name in found if name.endswith(kind)] for kind in FORMATS)), [])


def _on_disk(place: Path, name: str, split: str) -> list[Path]:
    if place.is_file():
        return [place]
    for folder in (place / name, place / name.partition("/")[2], place):
        there = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        if chosen := files_of(there, split) or _of_any_split(there):
            return [folder / path for path in chosen]
    raise ConfigError(f"there is nothing of {name} in {place}: {_what_to_put(name, split)}")


def _of_any_split(names: Sequence[str]) -> list[str]:
    """Files of rows that lie in a folder itself and are not named by another split."""
    plain = [name for name in names if re.fullmatch(r"(?!(?:train|dev|validation|test)\b)[^/]+\.\w+", name)]
    return next(filter(None, (sorted(n for n in plain if n.endswith(kind)) for kind in FORMATS)), [])


def _what_to_put(name: str, split: str) -> str:
    return (
        f"put its files there ({split}-*.parquet from https://huggingface.co/datasets/{name}, or "
        f"{split}.jsonl or {split}.json with the same columns)"
    )


def _download(name: str, split: str, revision: str, folder: Path) -> dict[str, str]:
    """Path of each file to the SHA-256 of its content."""
    may_fetch(f"the data set {name}")
    try:
        from huggingface_hub import HfApi
    except ModuleNotFoundError:
        raise MissingExtraError("huggingface_hub", "datasets") from None
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"), library_name="debug-gym")
    try:
        info = api.dataset_info(name, revision=revision, files_metadata=True)
        entries = {entry.rfilename: entry for entry in info.siblings or ()}
        paths = {
            wanted: Path(
                api.hf_hub_download(name, wanted, repo_type="dataset", revision=info.sha, cache_dir=folder)
            )
            for wanted in files_of(entries, split)
        }
    except Exception as error:  # which HTTP library raises depends on the version
        said = " ".join(str(error).split())[:300] or type(error).__name__
        raise HostError(
            f"the data set {name} cannot be downloaded ({said}): with no network, copy it here and name its "
            f"folder by  --data-dir FOLDER : {_what_to_put(name, split)}"
        ) from None
    if not paths:
        raise ConfigError(f"the data set {name} has no files of a split {split!r}: {', '.join(entries)}")
    return {str(path): _checked(path, entries[wanted]) for wanted, path in paths.items()}


def _checked(path: Path, entry: Any) -> str:
    """The SHA-256 of a file that was downloaded, which is what the hub says that it is."""
    digest = sha256(path)
    if entry.lfs is not None:
        fits = digest == entry.lfs.sha256
    else:  # what git calls the content
        blob = hashlib.sha1(b"blob %d\0" % path.stat().st_size + path.read_bytes(), usedforsecurity=False)
        fits = blob.hexdigest() == entry.blob_id
    if not fits:
        path.resolve().unlink()
        path.unlink(missing_ok=True)
        raise TaskError(f"{entry.rfilename} came damaged from the hub and was removed: try again")
    return digest
