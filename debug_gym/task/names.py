"""Task ids as file names: every id has one, no two share it, and it can be read back."""

from urllib.parse import quote, unquote

MAX_BYTES = 200
"""Bytes of an id's file name: file systems take 255, and endings are added."""


def file_name(task: str) -> str:
    """An id as a file name without an ending: what is neither a letter or digit of ASCII nor one of ``_.-``
    becomes ``%XX``, and so does a leading dot (hidden files)."""
    name = quote(task, safe="").replace("~", "%7E")
    return f"%2E{name[1:]}" if name.startswith(".") else name


def from_file_name(name: str) -> str:
    """The id that ``file_name`` made a name of."""
    return unquote(name)
