"""The files of a folder: their content, and a digest of it."""

import hashlib
from pathlib import Path

from debug_gym.errors import TaskError


def files_in(folder: Path) -> dict[str, bytes]:
    """Path below the folder to content of each of its files, in order; without bytecode.

    Raises:
        TaskError: one of them cannot be read.
    """
    return {
        path.relative_to(folder).as_posix(): read(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def tree_digest(folder: Path) -> str:
    """Of the names and the content of all files of a folder, wherever it lies."""
    digest = hashlib.sha256()
    for path, content in files_in(folder).items():
        digest.update(f"{path}\0".encode(errors="surrogateescape"))
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()[:16]


def read(path: Path) -> bytes:
    """The content of a file.

    Raises:
        TaskError: it cannot be read; the message names it.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise TaskError(f"{path} cannot be read: {error.strerror}") from None


def read_text(path: Path) -> str:
    """The content of a text file.

    Raises:
        TaskError: it cannot be read, or is no UTF-8; the message names it.
    """
    try:
        return read(path).decode()
    except UnicodeDecodeError as error:
        raise TaskError(f"{path} cannot be read: {error}") from None
