"""Rows of parquet, JSON Lines and JSON files by their key. A row is read when it is asked for."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, Protocol

from debug_gym.errors import MissingExtraError, TaskError

FORMATS = (".parquet", ".jsonl", ".json")
"""Endings of the files that can be read. Where a folder has several kinds, the first that it has is taken."""


class _File(Protocol):
    """A file of rows."""

    def column(self, name: str) -> Sequence[Any]:
        """One value of each row. Raises KeyError if there is no such column."""

    def row(self, index: int) -> dict[str, Any]:
        """One row, counted from 0."""


class Rows(Mapping[str, dict[str, Any]]):
    """The rows of some files by the value of one column, in the order of the files.

    Args:
        files: parquet, JSON Lines (an object on each line) or JSON (a list of objects).
        key: the column that names the rows. Of rows with the same name the first counts.
    """

    def __init__(self, files: Iterable[Path], key: str = "instance_id") -> None:
        self.files, self.key = tuple(files), key

    @cached_property
    def digest(self) -> str:
        """Of the content of all files: another one is another version of the data."""
        return hashlib.sha256("".join(map(sha256, self.files)).encode()).hexdigest()[:16]

    @cached_property
    def _places(self) -> dict[str, tuple[_File, int]]:
        found: dict[str, tuple[_File, int]] = {}
        for path in self.files:
            file, names = _open(path, self.key)
            for index, name in enumerate(names):
                found.setdefault(str(name), (file, index))
        return found

    def column(self, name: str) -> dict[str, Any]:
        """One value of each row, by the rows' names, where no other is needed.

        Raises:
            TaskError: a file has no such column.
        """
        found: dict[str, Any] = {}
        for path in self.files:
            file, names = _open(path, self.key)
            try:
                values = file.column(name)
            except KeyError:
                raise TaskError(f"{path} has no column {name}: it holds other data") from None
            for key, value in zip(names, values, strict=True):
                found.setdefault(str(key), value)
        return found

    def __getitem__(self, name: str) -> dict[str, Any]:
        file, index = self._places[name]
        return file.row(index)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits.

    Raises:
        TaskError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise TaskError(f"{path} cannot be read: {error.strerror}") from None


def _open(path: Path, key: str) -> tuple[_File, Sequence[Any]]:
    """A file and what its rows are called."""
    try:
        file = _Parquet(path) if path.suffix == ".parquet" else _Json(path)
        return file, file.column(key)
    except OSError as error:
        raise TaskError(f"{path} cannot be read: {error}") from None
    except (ValueError, TypeError) as error:  # UnicodeDecodeError and pyarrow's ArrowInvalid included
        raise TaskError(f"{path} does not hold rows: {error}") from None
    except KeyError:
        raise TaskError(f"{path} has no column {key}: it holds other data") from None


class _Json:
    """A list of objects, or an object on each line."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        if path.suffix == ".jsonl":
            self._texts: list[Any] = [line for line in data.splitlines() if line.strip()]
        else:
            self._texts = json.loads(data)
        if not isinstance(self._texts, list) or not all(
            isinstance(self.row(0), dict) for _ in self._texts[:1]
        ):
            raise ValueError("it is no list of objects")

    def column(self, name: str) -> Sequence[Any]:
        return [self.row(index)[name] for index in range(len(self._texts))]

    def row(self, index: int) -> dict[str, Any]:
        text = self._texts[index]
        row: dict[str, Any] = json.loads(text) if isinstance(text, bytes) else text
        return row


class _Parquet:
    """Read group by group: these files may be larger than memory."""

    def __init__(self, path: Path) -> None:
        try:
            from pyarrow.parquet import ParquetFile
        except ModuleNotFoundError:
            raise MissingExtraError("pyarrow", "datasets") from None
        self._open: Callable[[], Any] = partial(ParquetFile, path)
        with self._open() as file:
            groups = range(file.metadata.num_row_groups)
            sizes = [file.metadata.row_group(group).num_rows for group in groups]
            self._columns = file.schema_arrow.names
        self._places = [(group, row) for group, size in enumerate(sizes) for row in range(size)]
        self._group = lru_cache(maxsize=1)(self._read)

    def _read(self, group: int) -> Any:
        with self._open() as file:
            return file.read_row_group(group)

    def column(self, name: str) -> Sequence[Any]:
        if name not in self._columns:
            raise KeyError(name)
        with self._open() as file:
            values: Sequence[Any] = file.read(columns=[name])[name].to_pylist()
        return values

    def row(self, index: int) -> dict[str, Any]:
        group, place = self._places[index]
        rows: list[dict[str, Any]] = self._group(group).slice(place, 1).to_pylist()
        return rows[0]
